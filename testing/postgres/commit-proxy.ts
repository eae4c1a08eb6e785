/**
 * A PostgreSQL that is lost at a COMMIT: the server receives it, its answer never arrives, and the server is unreachable until restored.
 */
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { Door } from '../faults/door.ts';

/** The query in the wire format (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
const COMMIT = Buffer.from('Q\0\0\0\x0bCOMMIT\0', 'latin1');

export interface CommitProxy {
  readonly port: number;
  /** The server is lost at the n-th COMMIT from now on. */
  readonly arm: (n: number) => void;
  /** Whether that is still to come. */
  readonly isArmed: () => boolean;
  /** The server can be reached again. */
  readonly back: () => Promise<void>;
}

/** @param target the port of the server. */
export async function openCommitProxy(target: number): Promise<CommitProxy> {
  let left = Number.POSITIVE_INFINITY;
  const pass = (client: Socket): void => {
    const upstream = connect(target, '127.0.0.1');
    let isLost = false;
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.on('data', (data: Buffer) => {
      if (data.includes(COMMIT)) isLost = --left === 0;
      upstream.write(data);
    });
    upstream.on('data', (data: Buffer) => {
      if (isLost) void door.shut();
      else client.write(data);
    });
  };
  const door = await Door.open(pass);
  onTestFinished(() => door.shut());
  return {
    port: door.port,
    arm: (n) => {
      left = n;
    },
    isArmed: () => left > 0,
    back: () => door.reopen(),
  };
}
