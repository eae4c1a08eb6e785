/** Calls that last for as long as a test says: by an event, not by a time that a slow machine may outlast. */
import type { OtaApi } from '../../src/ota/client.ts';

/** For a stage's `wrapApi`: the answers of calls reach the worker once `until` has resolved, and not before. */
export function answersAfter(until: Promise<unknown>): (api: OtaApi) => OtaApi {
  return (api) => ({
    updateOtaTask: async (update, signal) => {
      const answer = await api.updateOtaTask(update, signal);
      await until;
      return answer;
    },
    destroy: () => api.destroy(),
  });
}
