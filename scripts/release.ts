/** Dates what is unreleased in CHANGELOG.md, and writes the version into the image's label; `npm version` runs it before it commits. */
import { readFile, writeFile } from 'node:fs/promises';
import manifest from '../package.json' with { type: 'json' };
import { releaseChangelog } from '../testing/changelog.ts';

const { version } = manifest;
const today = new Date().toISOString().slice(0, 10);
await writeFile('CHANGELOG.md', releaseChangelog(await readFile('CHANGELOG.md', 'utf8'), version, today));
const label = /(?<=image\.version=)"[^"]*"/;
await writeFile('Dockerfile', (await readFile('Dockerfile', 'utf8')).replace(label, JSON.stringify(version)));
