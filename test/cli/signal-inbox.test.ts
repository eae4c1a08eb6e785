import { describe, expect, test } from 'vitest';
import { type Signal, SignalInbox } from '../../src/cli/signal-inbox.ts';

/** An inbox, what a test sends it, and the exit codes it asked for. */
function setUp() {
  const handlers = new Map<Signal, (signal: Signal) => void>();
  const exits: number[] = [];
  const source = {
    on(signal: Signal, handler: (signal: Signal) => void) {
      handlers.set(signal, handler);
      return source;
    },
    exit: (code: number) => exits.push(code),
  };
  const inbox = new SignalInbox(source);
  const heard: Signal[] = [];
  return {
    inbox,
    exits,
    heard,
    send: (signal: Signal) => handlers.get(signal)?.(signal),
    listen: () => inbox.listen((signal) => heard.push(signal)),
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

describe('a signal that comes while the program loads', () => {
  test('is kept for who listens first, once the command has begun', async () => {
    const { inbox, send, listen, heard, exits, turn } = setUp();
    send('SIGTERM');
    inbox.begin();
    listen();
    listen();
    await turn();
    expect({ heard, exits }).toEqual({ heard: ['SIGTERM'], exits: [] });
  });

  test('ends a command that does not listen', async () => {
    const { inbox, send, exits, turn } = setUp();
    send('SIGINT');
    expect(exits).toEqual([]);
    inbox.begin();
    await turn();
    expect(exits).toEqual([130]);
  });

  test('ends the process at once when it comes twice', () => {
    const { send, exits } = setUp();
    send('SIGTERM');
    send('SIGTERM');
    expect(exits).toEqual([143]);
  });
});

describe('a signal that comes to a command', () => {
  test('reaches all who listen, and who listens no more is not called', () => {
    const { inbox, send, listen, heard, exits } = setUp();
    inbox.begin();
    const off = listen();
    listen();
    send('SIGINT');
    off();
    send('SIGTERM');
    expect({ heard, exits }).toEqual({ heard: ['SIGINT', 'SIGINT', 'SIGTERM'], exits: [] });
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends the process at once when nobody listens: %s', (signal, code) => {
    const { inbox, send, exits } = setUp();
    inbox.begin();
    send(signal);
    expect(exits).toEqual([code]);
  });
});
