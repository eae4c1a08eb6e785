/** A job whose senders are killed, while it is steered from other processes. */
import { expect, test } from 'vitest';
import { proveSteer } from '../../testing/proof/prove-steer.ts';

test('another sender takes over from one that is killed, and a pause, a slower rate and a stop from another process hold', async () => {
  const proof = await proveSteer({
    rows: 600,
    rate: 200,
    window: 100,
    // A command that stops it must come before its end, on a slow machine, too.
    jobRate: 40,
    slowRate: 20,
    stopAt: 0.6,
    senders: 1,
    kills: 1,
    say: () => {},
  });
  expect(proof.mismatches).toEqual([]);
  expect(proof.ends).toMatchObject({ applied: 578, 'dead-lettered ResourceNotFoundException': 3 });
  expect(proof.sentAfterPause).toBeLessThanOrEqual(100);
  // What the API was asked beyond once a row was sent twice by a sender that was killed, which the ledger counts.
  expect(proof.extraCalls).toBeLessThanOrEqual(proof.maybeTwice);
});
