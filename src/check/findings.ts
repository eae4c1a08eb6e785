/** Turns facts into findings. PURE: a table of rules, each of which judges the facts and returns its findings. */
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

/** In the order of the report: first what the others depend on. */
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

/** All findings of the rules, in the order of `rules`. */
export function findingsOf(facts: CheckFacts): Finding[] {
  return rules.flatMap((rule) => rule(facts));
}

/** True when no finding is an error; warnings, and unchecked things, are allowed. */
export function isOk(findings: readonly Finding[]): boolean {
  return findings.every((finding) => finding.severity !== 'error');
}
