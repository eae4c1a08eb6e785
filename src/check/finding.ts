/** What a finding is, and every rule that one can name. PURE. */
import type { CheckFacts } from './facts.ts';

/** What a finding can be about (docs/reference/check.md). Names do not change between releases: scripts rely on them. */
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

/** `unchecked`: it was not looked at, or could not be, and is neither well nor wrong. */
export type Severity = 'error' | 'warning' | 'unchecked' | 'ok';

/** One thing that was looked at, or that was not. */
export interface Finding {
  readonly severity: Severity;
  readonly rule: RuleName;
  /** The variable or the thing that was looked at. */
  readonly where: string;
  readonly what: string;
  /** How to fix it, or what is needed for it; absent when all is well. */
  readonly fix?: string;
}

/** Judges the facts by one aspect. Finds nothing where the facts that it needs are missing. */
export type Rule = (facts: CheckFacts) => readonly Finding[];
