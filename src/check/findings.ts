/** Facts to findings. PURE: a table of rules, each of which looks at the facts and says what it finds. */
import { apiEndpointRule, apiReadRule } from './api-findings.ts';
import type { CheckFacts } from './facts.ts';
import type { Finding, Rule } from './finding.ts';
import { queueActionsRule, queueKeyRule } from './key-findings.ts';
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
import { redisClockRule, redisOpenRule, redisRule } from './redis-findings.ts';
import {
  clockRule,
  credentialsRule,
  graceRule,
  leaseRule,
  proxyRule,
  regionRule,
  stateRule,
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
  queueKeyRule,
  queueActionsRule,
  clockRule,
  apiEndpointRule,
  apiReadRule,
  redisRule,
  redisClockRule,
  redisOpenRule,
  stateRule,
  graceRule,
  leaseRule,
];

/** Everything the rules find, in the order of `rules`. */
export function findingsOf(facts: CheckFacts): Finding[] {
  return rules.flatMap((rule) => rule(facts));
}

/** True when no finding is an error; warnings, and what was not checked, are allowed. */
export function isOk(findings: readonly Finding[]): boolean {
  return findings.every((finding) => finding.severity !== 'error');
}
