/** The region in AWS's shared configuration files, looked up like the SDK does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './environment.ts';

/** The text of a file; undefined if it cannot be read. */
export type ReadText = (path: string) => string | undefined;

export const readTextFile: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** The region of the profile that the environment selects; undefined if it has none. */
export function profileRegion(env: Environment, read: ReadText): string | undefined {
  const profile = env.AWS_PROFILE || 'default';
  const home = env.HOME || env.USERPROFILE;
  const path = (set: string | undefined, name: string): string | undefined =>
    set || (home && join(home, '.aws', name)) || undefined;
  // The credentials file takes precedence.
  const files = [
    { path: path(env.AWS_SHARED_CREDENTIALS_FILE, 'credentials'), section: profile },
    {
      path: path(env.AWS_CONFIG_FILE, 'config'),
      section: profile === 'default' ? profile : `profile ${profile}`,
    },
  ];
  for (const { path, section } of files) {
    const region = path === undefined ? undefined : regionIn(read(path) ?? '', section);
    if (region !== undefined) return region;
  }
  return undefined;
}

/** The last `region` of a section. Indented settings belong to a nested block, not to the section itself. */
function regionIn(text: string, wanted: string): string | undefined {
  let section = '';
  let region: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[\s*(.*?)\s*\]/.exec(line)?.[1];
    if (header !== undefined) section = header.replace(/["']/g, '').replace(/\s+/g, ' ');
    else if (section === wanted) region = /^region\s*=\s*([^\s;#]+)/.exec(line)?.[1] ?? region;
  }
  return region;
}
