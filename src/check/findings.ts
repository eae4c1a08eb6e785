/** Facts to findings. PURE: a table of rules, each of which looks at the facts and says what it finds. */
import { apiRule } from './api-findings.ts';
import type { CheckFacts } from './facts.ts';
import type { Finding, Rule } from './finding.ts';
import {
  deadLetterRedriveRule,
  deadLetterRetentionRule,
  deadLetterSizeRule,
  distinctQueuesRule,
  outcomeRetentionRule,
  queueKindsRule,
  redriveRule,
} from './queue-findings.ts';
import { queueRegionRule, readQueuesRule } from './queue-read-findings.ts';
import {
  clockRule,
  credentialsRule,
  graceRule,
  leaseRule,
  proxyRule,
  redisRule,
  regionRule,
} from './set-up-findings.ts';

/** In the order of the report: what the others depend on comes first. */
const rules: readonly Rule[] = [
  regionRule,
  credentialsRule,
  proxyRule,
  readQueuesRule,
  queueRegionRule,
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
  redisRule,
];

/** Everything the rules find, in the order of `rules`. */
export function findingsOf(facts: CheckFacts): Finding[] {
  return rules.flatMap((rule) => rule(facts));
}

/** True when no finding is an error; warnings are allowed. */
export function isOk(findings: readonly Finding[]): boolean {
  return findings.every((finding) => finding.severity !== 'error');
}
