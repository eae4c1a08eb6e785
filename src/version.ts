/** The version of this program; bundled, it is the one it was built from. */
import manifest from '../package.json' with { type: 'json' };

export const { version } = manifest;
