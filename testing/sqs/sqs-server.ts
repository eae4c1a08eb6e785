/** What tests need from an SQS server in addition to its protocol. */
import type { FauxqsServer } from 'fauxqs';

/** The second server only gives numbers of messages, not their contents, and has no topics. */
export type SqsServer = Pick<
  FauxqsServer,
  | 'port'
  | 'createQueue'
  | 'deleteQueue'
  | 'inspectQueue'
  | 'sendMessage'
  | 'createTopic'
  | 'subscribe'
  | 'publish'
  | 'reset'
  | 'stop'
> & {
  /** Resolves when what was made directly, queues and messages, is there; if missing, it is there immediately. */
  made?(): Promise<void>;
};
