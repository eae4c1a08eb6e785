/** The simulated AWS IoT Managed Integrations API. */

export type { CallStatus, SimulatedApiStats, SimulatedCall } from './call-log.ts';
export type { Sleep } from './respond.ts';
export { ScriptedAnswer } from './scripts.ts';
export { type SimulatedApi, type SimulatedApiOptions, startSimulatedApi } from './server.ts';
export {
  faultNames,
  InvalidSettingsError,
  SimulatedApiSettings,
  type SimulatedApiSettingsInput,
  type SimulatedApiSettingsPatch,
} from './settings.ts';
export type { SimulatedTask, SimulatedTaskSummary } from './tasks.ts';
export { TokenBucket } from './token-bucket.ts';
export type { UpdateInput } from './validation.ts';
