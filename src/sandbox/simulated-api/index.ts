/** The sandbox's stand-in for the AWS IoT Managed Integrations API. */
export type { Sleep } from './delivery.ts';
export type { CallStatus, SimulatedApiStats, SimulatedCall } from './ledger.ts';
export { ScriptedAnswer } from './scripts.ts';
export { type SimulatedApi, type SimulatedApiOptions, startSimulatedApi } from './server.ts';
export {
  InvalidSettingsError,
  SimulatedApiSettings,
  type SimulatedApiSettingsInput,
  type SimulatedApiSettingsPatch,
} from './settings.ts';
export type { SimulatedTask, SimulatedTaskSummary } from './tasks.ts';
export { TokenBucket } from './token-bucket.ts';
export type { UpdateInput } from './validation.ts';
