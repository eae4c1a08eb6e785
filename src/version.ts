/** The version of this program. In a bundle, it is the version that the bundle was built from. */
import manifest from '../package.json' with { type: 'json' };

export const { version } = manifest;
