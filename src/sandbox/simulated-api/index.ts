/** The simulated AWS IoT Managed Integrations API. */

export type { SimulatedCall } from './call-log.ts';

export {
  createLimit,
  type LimitSettings,
  type LimitSettingsInput,
} from './limits/index.ts';

export { ScriptedAnswer } from './scripts.ts';
export { type SimulatedApi, type SimulatedApiOptions, startSimulatedApi } from './server.ts';
export {
  faultNames,
  InvalidSettingsError,
  type SimulatedApiSettingsInput,
  type SimulatedApiSettingsPatch,
} from './settings.ts';
