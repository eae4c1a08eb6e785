#!/usr/bin/env -S node --
/** Where the process begins: it hears its signals before it loads the program. */
import { SignalInbox } from './cli/signal-inbox.ts';

const signals = new SignalInbox(process);
if (process.argv.length === 3 && process.argv[2] === 'health') {
  // Every container runs this twice a minute: the rest of the program would be most of what that costs.
  signals.begin();
  const { checkHealth } = await import('./commands/health.ts');
  process.exitCode = await checkHealth(process);
} else {
  const { runProcess } = await import('./process.ts');
  await runProcess(process, signals);
}
