/** Facts to findings. PURE: a table of rules, each of which looks at the facts and says what it finds. */
import { apiRule } from './api-findings.ts';
import type { CheckFacts } from './facts.ts';
import {
  deadLetterRedriveRule,
  deadLetterRetentionRule,
  deadLetterSizeRule,
  distinctQueuesRule,
  outcomeRetentionRule,
  queueKindsRule,
  redriveRule,
} from './queue-findings.ts';
import { queueEndpointRule, queueRegionRule, readQueuesRule } from './queue-read-findings.ts';
import { clockRule, credentialsRule, graceRule, leaseRule, regionRule } from './set-up-findings.ts';

export type Severity = 'error' | 'warning' | 'ok';

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
  | 'queue-endpoint'
  | 'queues-distinct'
  | 'queue-kinds'
  | 'dead-letter-retention'
  | 'dead-letter-size'
  | 'outcome-retention'
  | 'redrive-policy'
  | 'redrive-target'
  | 'dead-letter-redrive'
  | 'clock'
  | 'api-region'
  | 'api-endpoint'
  | 'shutdown-grace'
  | 'lease';

/** One thing that was looked at. */
export interface Finding {
  readonly severity: Severity;
  readonly rule: RuleName;
  /** The variable or the thing at fault. */
  readonly where: string;
  readonly what: string;
  /** How to mend it; absent when all is well. */
  readonly mend?: string;
}

/** Looks at the facts from one side. Finds nothing where the facts it needs are missing. */
export type Rule = (facts: CheckFacts) => readonly Finding[];

/** In the order of the report: what the others depend on comes first. */
export const rules: readonly Rule[] = [
  regionRule,
  credentialsRule,
  readQueuesRule,
  queueRegionRule,
  queueEndpointRule,
  distinctQueuesRule,
  queueKindsRule,
  deadLetterRetentionRule,
  deadLetterSizeRule,
  outcomeRetentionRule,
  redriveRule,
  deadLetterRedriveRule,
  clockRule,
  apiRule,
  graceRule,
  leaseRule,
];

/** Everything the rules find, in the order of `rules`. */
export function findingsOf(facts: CheckFacts): Finding[] {
  return rules.flatMap((rule) => rule(facts));
}

/** True when no finding is an error; warnings are allowed. */
export function isOk(findings: readonly Finding[]): boolean {
  return findings.every((finding) => finding.severity !== 'error');
}
