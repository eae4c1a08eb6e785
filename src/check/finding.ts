/** What a finding is, and every rule that a finding can name. PURE. */
import type { CheckFacts } from './facts.ts';

/** The subjects of findings (docs/reference/check.md). Names do not change between releases: scripts rely on them. */
export type RuleName =
  | 'region'
  | 'credentials'
  | 'queue-read'
  | 'queue-skipped'
  | 'queue-missing'
  | 'queue-permission'
  | 'queue-credentials'
  | 'queue-unreachable'
  | 'queue-throttled'
  | 'queue-foreign'
  | 'queue-unreadable'
  | 'queue-region'
  | 'queue-key'
  | 'queue-actions'
  | 'queues-distinct'
  | 'queue-kinds'
  | 'dead-letter-retention'
  | 'dead-letter-size'
  | 'outcome-retention'
  | 'redrive-policy'
  | 'redrive-target'
  | 'dead-letter-redrive'
  | 'clock'
  | 'proxy'
  | 'api-region'
  | 'api-endpoint'
  | 'api-read'
  | 'api-update'
  | 'redis'
  | 'redis-clock'
  | 'redis-open'
  | 'state-folder'
  | 'ledger'
  | 'shutdown-grace'
  | 'lease';

/** `unchecked`: it was not or could not be examined, so it is neither right nor wrong. */
export type Severity = 'error' | 'warning' | 'unchecked' | 'ok';

/** One thing that was examined, or that could not be. */
export interface Finding {
  readonly severity: Severity;
  readonly rule: RuleName;
  /** The variable or the thing that was examined. */
  readonly where: string;
  readonly what: string;
  /** How to fix it, or what is needed for it; absent when all is well. */
  readonly fix?: string;
}

/** Judges one aspect of the facts. Finds nothing if the facts it needs are missing. */
export type Rule = (facts: CheckFacts) => readonly Finding[];
