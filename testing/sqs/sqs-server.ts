/** What tests want of an SQS server besides its protocol. */
import type { FauxqsServer } from 'fauxqs';

/** The second server tells numbers of messages alone, not their contents, and has no topics. */
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
  /** Resolves when the queues that were made are there; where it is missing they are at once. */
  made?(): Promise<void>;
};
