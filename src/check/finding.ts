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
  | 'queue-unreadable'
  | 'queue-region'
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
  | 'redis-open'
  | 'shutdown-grace'
  | 'lease';

export type Severity = 'error' | 'warning' | 'ok';

/** One thing that was looked at. */
export interface Finding {
  readonly severity: Severity;
  readonly rule: RuleName;
  /** The variable or the thing that was looked at. */
  readonly where: string;
  readonly what: string;
  /** How to fix it; absent when all is well. */
  readonly fix?: string;
}

/** Judges the facts by one aspect. Finds nothing where the facts that it needs are missing. */
export type Rule = (facts: CheckFacts) => readonly Finding[];
