/** Simulated APIs for tests that talk to them directly; each is closed when its test has ended. */
import { onTestFinished } from 'vitest';
import {
  type SimulatedApi,
  type SimulatedApiOptions,
  startSimulatedApi,
} from '../../src/sandbox/simulated-api/index.ts';

/** Headers that the simulated API requires. */
export const apiHeaders = {
  authorization: 'AWS4-HMAC-SHA256 Credential=sandbox',
  'content-type': 'application/json',
};

export async function startApi(options: SimulatedApiOptions = {}): Promise<SimulatedApi> {
  const api = await startSimulatedApi(options);
  onTestFinished(() => api.close());
  return api;
}
