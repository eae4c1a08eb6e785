/** Limits on calls, without I/O and clock: for the simulated API, and for simulations in virtual time. */

export { type CallLimit, createLimit } from './limit.ts';
export { LimitSchema, type LimitSettings, type LimitSettingsInput } from './settings.ts';
