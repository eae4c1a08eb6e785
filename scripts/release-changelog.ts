/** Dates what is unreleased in CHANGELOG.md: run by `npm version`, before it commits. */
import { readFile, writeFile } from 'node:fs/promises';
import manifest from '../package.json' with { type: 'json' };
import { releaseChangelog } from '../testing/changelog.ts';

const today = new Date().toISOString().slice(0, 10);
const text = await readFile('CHANGELOG.md', 'utf8');
await writeFile('CHANGELOG.md', releaseChangelog(text, manifest.version, today));
