#!/usr/bin/env -S node --
/** Where the process begins: it hears its signals before it loads the program. */
import { SignalInbox } from './cli/signal-inbox.ts';

const signals = new SignalInbox(process);
const { runProcess } = await import('./process.ts');
await runProcess(process, signals);
