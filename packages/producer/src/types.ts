/** What the package takes and gives. Nothing here names the worker's own modules: this file is the published declaration. */

/** One change of one OTA task. JSON Schema: `ota-updater-producer/update.schema.json`. */
export interface Update {
  /** The OTA task to update: 1-200 letters and digits. */
  readonly Identifier: string;
  /** 1-256 letters, digits, spaces, `_` and `-`. At least one of Description and TaskConfigurationId is present. */
  readonly Description?: string | undefined;
  /** 1-64 letters and digits. */
  readonly TaskConfigurationId?: string | undefined;
  /** 1-128 letters, digits and `_ . : -`; it is in every log line, outcome and dead letter. */
  readonly JobId?: string | undefined;
  /** The same, for this one update. */
  readonly RequestId?: string | undefined;
  /** When the update was decided on, ISO 8601 in UTC: of two values of one field the one decided on later stays. */
  readonly IssuedAt?: string | undefined;
}

/** A trace to go on with. What is not well formed is left out: no update fails because of its trace. */
export interface TraceContext {
  /** By W3C Trace Context; sent as a message attribute of this name. */
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  /** Of X-Ray, as `_X_AMZN_TRACE_ID` has it; sent as a message system attribute. */
  readonly AWSTraceHeader?: string | undefined;
}

export interface SendOptions {
  /** For all updates, or for each; an update for which the function throws is sent without one. */
  readonly trace?: TraceContext | ((update: Update, index: number) => TraceContext | undefined);
  /** Stops the sending: what is not sent by then is `unsent`. */
  readonly signal?: AbortSignal;
  /**
   * Names this call on a FIFO queue: the same updates sent again under the same name within five minutes arrive once. A new one
   * for each call when omitted.
   */
  readonly sendId?: string;
}

/** What became of one update. */
export type UpdateResult =
  | { readonly status: 'sent'; readonly messageId: string }
  /** It is not valid, or SQS will never accept it: the same one would be refused again. */
  | { readonly status: 'refused'; readonly reason: string }
  /** The sending ended before. `mayHaveArrived`: an answer was lost, or did not name it; sent again, it may be there twice, which does no harm. */
  | { readonly status: 'unsent'; readonly mayHaveArrived: boolean };

export interface SendReport {
  /** For each update, in the order given. */
  readonly results: readonly UpdateResult[];
  readonly sent: number;
  readonly refused: number;
  readonly unsent: number;
  /** Requests made, those that failed included. */
  readonly requests: number;
  /** Why the sending ended early, as a sentence without its full stop. */
  readonly failure?: string;
}
