/** Writes what is made from the source: the files of `schema/` and the configuration table in README.md. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describeConfig } from '../src/config.ts';
import { outcomeJsonSchema } from '../src/message/outcome.ts';
import { updateJsonSchema } from '../src/message/update.ts';

/** Where each schema is published, and its text. */
export const schemaFiles: readonly { readonly file: URL; readonly text: () => string }[] = [
  { file: new URL('../schema/update.schema.json', import.meta.url), text: updateJsonSchema },
  { file: new URL('../schema/outcome.schema.json', import.meta.url), text: outcomeJsonSchema },
];
export const readmeFile = new URL('../README.md', import.meta.url);

const start = '<!-- config:start -->';
const end = '<!-- config:end -->';

/** The configuration as a Markdown table. */
export function configTable(): string {
  const rows = describeConfig().map(({ name, fallback, doc }) => [
    `\`${name}\``,
    fallback === 'none' ? 'none' : `\`${fallback}\``,
    doc,
  ]);
  const lines = [['name', 'default', 'meaning'], ['---', '---', '---'], ...rows];
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

/** The README with the present table between its markers, or undefined when it has no markers. */
export function withConfigTable(readme: string): string | undefined {
  const from = readme.indexOf(start);
  const to = readme.indexOf(end, from);
  if (from === -1 || to === -1) return undefined;
  return `${readme.slice(0, from + start.length)}\n\n${configTable()}\n\n${readme.slice(to)}`;
}

function generate(): void {
  for (const { file, text } of schemaFiles) {
    mkdirSync(new URL('.', file), { recursive: true });
    writeFileSync(file, text());
    process.stdout.write(`wrote schema/${basename(file.pathname)}\n`);
  }
  const readme = existsSync(readmeFile) ? withConfigTable(readFileSync(readmeFile, 'utf8')) : undefined;
  if (readme === undefined) {
    process.stdout.write(`skipped README.md: it has no ${start} and ${end}\n`);
    return;
  }
  writeFileSync(readmeFile, readme);
  process.stdout.write('wrote the configuration table of README.md\n');
}

if (import.meta.main) generate();
