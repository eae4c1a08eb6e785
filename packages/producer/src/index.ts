/** Sends OTA task updates to the queue of ota-updater. */
export { type ProducerOptions, UpdateProducer } from './producer.ts';
export type { SendOptions, SendReport, TraceContext, Update, UpdateResult } from './types.ts';
export { faultOf } from './validate.ts';
