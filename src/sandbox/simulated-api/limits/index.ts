/** Limits on calls, without I/O and clock: used by the simulated API, and by simulations in virtual time. */

export { type CallLimit, createLimit } from './limit.ts';
export { LimitSchema, type LimitSettings, type LimitSettingsInput } from './settings.ts';
