/** For CDK apps of others. */
export { Alarms } from './alarms.ts';
export { type ConsoleProps, ConsoleService, type Oidc } from './console.ts';
export { Service } from './fargate.ts';
export { OtaUpdater, type OtaUpdaterProps } from './ota-updater.ts';
export { Queues } from './queues.ts';
export { Ledger, type LedgerProps } from './stores.ts';
