/** Validates an AsyncAPI document by AsyncAPI's own parser. Prints each finding; exits 1 when there is one. */
import { readFile } from 'node:fs/promises';
import { Parser } from '@asyncapi/parser';

const [path = new URL('../schema/asyncapi.json', import.meta.url)] = process.argv.slice(2);
const { document, diagnostics } = await new Parser().parse(await readFile(path, 'utf8'));
for (const { severity, path: place, message } of diagnostics)
  process.stdout.write(
    `${['error', 'warning', 'information', 'hint'][severity]} ${place.join('.')}: ${message}\n`,
  );
if (document === undefined || diagnostics.length > 0) process.exitCode = 1;
else
  process.stdout.write(
    `AsyncAPI ${document.version()}: ${document.channels().length} channels, ${document.operations().length} operations, ${document.messages().length} messages\n`,
  );
