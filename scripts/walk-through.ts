/**
 * Runs the commands of walk-throughs against a sandbox and compares what they print with the document, except times,
 * ids and counts. With `--write` it replaces the output in the document.
 *
 *   npm run walk-through -- [--write] docs/walk-throughs/*.md
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readWalkThrough, shapeOf } from '../testing/walk-through/document.ts';
import { runWalkThrough } from '../testing/walk-through/run.ts';

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
});
for (const path of positionals) {
  const walkThrough = readWalkThrough(readFileSync(path, 'utf8'));
  const shown = await runWalkThrough(walkThrough);
  if (values.write) writeFileSync(path, walkThrough.render(shown.map(({ output }) => output)));
  for (const { step, output } of shown) {
    if (values.write || shapeOf(output) === shapeOf(step.output ?? '')) continue;
    process.exitCode = 1;
    process.stdout.write(`${path}: $ ${step.command}\n--- says\n${step.output}--- prints\n${output}\n`);
  }
}
