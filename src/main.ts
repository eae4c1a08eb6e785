#!/usr/bin/env -S node --
/** The process starts here. It listens for signals before it loads the program. */
import { SignalInbox } from './cli/signal-inbox.ts';

const signals = new SignalInbox(process);
if (process.argv.length === 3 && process.argv[2] === 'health') {
  // Every container runs this check twice a minute; loading the rest of the program would be most of its
  // cost.
  signals.begin();
  const { checkHealth } = await import('./commands/health.ts');
  process.exitCode = await checkHealth(process);
} else {
  const { runProcess } = await import('./process.ts');
  await runProcess(process, signals);
}
