/**
 * Measures what one message passes on its way through a worker: files of src/, functions, and calls into the module
 * that joins the parts. With `--list` it names each.
 *
 *   npm run trace-message [-- --list] [--root DIR] [--joining src/worker/worker.ts] [--rounds 5]
 *
 * How it counts. A worker runs in a separate process, against the sandbox's SQS emulator and simulated API in
 * another. It is warmed up, then left idle. A round sends one message and takes V8's precise coverage (function
 * granularity, with call counts) of the time from just before the message is sent until it is settled and the worker
 * is idle again. Before each round, coverage of an idle time is taken in the same way. A function counts if it ran in
 * every round, less what also ran in every idle time: a timer that happens to fire in one round thus does not count.
 *
 * V8 counts each resumption of an async function after an `await` as another call of it. In addition, breakpoints on
 * the first statement of each function of the joining module therefore count the calls whose caller is outside it.
 */
import { parseArgs } from 'node:util';
import { root as here } from '../testing/processes/ota.ts';
import { type Calls, total } from './trace/calls.ts';
import { Cloud } from './trace/cloud.ts';
import { kinds, trace } from './trace/trace.ts';

const { values: flags } = parseArgs({
  options: {
    list: { type: 'boolean', default: false },
    root: { type: 'string', default: here },
    joining: { type: 'string', default: 'src/worker/worker.ts' },
    rounds: { type: 'string', default: '5' },
  },
});
const { root, joining } = flags;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Each function of one file, with its count. */
function printFunctions(file: string, calls: Iterable<readonly [string, number]>): void {
  for (const [key, count] of calls) print(`    ${String(count).padStart(4)}  ${key.slice(file.length + 1)}`);
}

function printList(files: ReadonlyMap<string, readonly (readonly [string, number])[]>, entries: Calls): void {
  for (const [file, functions] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    print(`  ${file}`);
    printFunctions(file, functions);
  }
  print(`  calls into ${joining} from outside:`);
  printFunctions(joining, entries);
}

const cloud = await Cloud.start(root);
try {
  for (const kind of kinds) {
    const { calls, entries } = await trace({ cloud, kind, root, joining, rounds: Number(flags.rounds) });
    const files = Map.groupBy([...calls], ([key]) => key.split(' ')[0] ?? '');
    const inJoining = new Map(files.get(joining) ?? []);
    print(kind.title);
    print(`  files of src/ passed          ${files.size}`);
    print(`  functions that ran            ${calls.size}`);
    print(`  calls into ${joining}`);
    print(`    from outside                ${total(entries)}, of ${entries.size} functions`);
    print(`    all, resumptions included   ${total(inJoining)}, of ${inJoining.size} functions`);
    if (flags.list) printList(files, entries);
  }
} finally {
  await cloud.child.end();
}
