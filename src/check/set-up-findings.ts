/** Rules about the process itself: region, credentials, clock and settings. */
import { explainNoCredentials } from '../aws/errors.ts';
import { printable } from '../text/printable.ts';
import { duration } from '../text/times.ts';
import { printableUrl } from '../text/urls.ts';
import type { Finding, Rule } from './finding.ts';

/** Above this, the clock should be corrected, in milliseconds. */
const SKEW_WARNING_MS = 60_000;
/** Above this, AWS refuses every signature, in milliseconds. */
const SKEW_ERROR_MS = 5 * 60_000;
/** The default time that ECS and Kubernetes give a container between SIGTERM and SIGKILL. */
const PLATFORM_GRACE_SECONDS = 30;

export const regionRule: Rule = ({ region }) => {
  const found = { rule: 'region', where: 'AWS region' } as const;
  if (region.ok) return [{ ...found, severity: 'ok', what: `is ${region.value}` }];
  const what = `cannot be found: ${region.error.message}`;
  return [{ ...found, severity: 'error', what, fix: 'set AWS_REGION' }];
};

export const credentialsRule: Rule = ({ credentials }) => {
  const found = { rule: 'credentials', where: 'AWS credentials' } as const;
  if (!credentials.ok) {
    const { what, fix = 'correct that, or give the process a role' } = explainNoCredentials(
      credentials.error.message,
    );
    // The report names the subject beside the text.
    return [{ ...found, severity: 'error', what: what.replace(/^AWS credentials /, ''), fix }];
  }
  const { accessKey, leftMs } = credentials.value;
  const which = `the access key id ends in ${accessKey}`;
  if (leftMs === undefined) return [{ ...found, severity: 'ok', what: `found, ${which}` }];
  const time = duration(Math.round(Math.abs(leftMs) / 1_000));
  if (leftMs > 0) return [{ ...found, severity: 'ok', what: `found, valid for ${time}; ${which}` }];
  return [{ ...found, severity: 'error', what: `expired ${time} ago; ${which}`, fix: 'renew them' }];
};

export const proxyRule: Rule = ({ proxy }) =>
  (['HTTPS_PROXY', 'HTTP_PROXY'] as const).flatMap((name) => {
    const url = proxy?.[name];
    if (proxy === undefined || url === undefined) return [];
    const scheme = name === 'HTTPS_PROXY' ? 'https' : 'http';
    const what = `requests over ${scheme} go through ${printableUrl(url)}, but not to ${proxy.NO_PROXY}`;
    return [{ rule: 'proxy', where: name, severity: 'ok', what: printable(what) }];
  });

export const clockRule: Rule = ({ clockSkewMs, queues }) => {
  const found = { rule: 'clock', where: 'local clock' } as const;
  if (queues.every((queue) => queue.attributes === undefined)) return [];
  if (clockSkewMs === undefined) {
    const what = 'could not be compared: no answer from SQS carried a time';
    return [{ ...found, severity: 'warning', what, fix: 'find out why SQS does not answer' }];
  }
  const offMs = Math.abs(clockSkewMs);
  const what = `is ${Math.round(offMs / 1_000)} s ${clockSkewMs > 0 ? 'ahead of' : 'behind'} that of SQS`;
  const fix = 'synchronise it (chrony, ntpd); AWS refuses signatures more than 5 minutes off';
  if (offMs > SKEW_ERROR_MS) return [{ ...found, severity: 'error', what, fix }];
  if (offMs > SKEW_WARNING_MS) return [{ ...found, severity: 'warning', what, fix }];
  return [{ ...found, severity: 'ok', what: 'agrees with that of SQS' }];
};

export const graceRule: Rule = ({ settings }) => {
  const seconds = settings.shutdownGraceSeconds;
  const found = { rule: 'shutdown-grace', where: 'SHUTDOWN_GRACE_SECONDS' } as const;
  if (seconds <= PLATFORM_GRACE_SECONDS) return [{ ...found, severity: 'ok', what: `is ${seconds} s` }];
  const what = `is ${seconds} s, but ECS and Kubernetes kill after ${PLATFORM_GRACE_SECONDS} s by default`;
  const fix = 'lower it, or raise stopTimeout (ECS) or terminationGracePeriodSeconds (Kubernetes) above it';
  return [{ ...found, severity: 'warning', what, fix }];
};

export const leaseRule: Rule = ({ settings }) => {
  const leaseMs = settings.visibilityTimeoutSeconds * 1_000;
  const found = { rule: 'lease', where: 'VISIBILITY_TIMEOUT_SECONDS' } as const;
  if (leaseMs > settings.callTimeoutMs) {
    return [
      { ...found, severity: 'ok', what: `is ${settings.visibilityTimeoutSeconds} s, longer than a call` },
    ];
  }
  const what =
    `is ${settings.visibilityTimeoutSeconds} s, no longer than one call may take (${settings.callTimeoutMs} ms): ` +
    'leases are extended, but a worker that stalls during a call loses the message to another one';
  return [{ ...found, severity: 'warning', what, fix: 'raise it above CALL_TIMEOUT_MS' }];
};

export const stateRule: Rule = ({ state }) => {
  const where = 'STATE_DIR';
  const { path, fault, ledger } = state;
  const findings: Finding[] = [];
  if (fault === undefined) {
    findings.push({ rule: 'state-folder', where, severity: 'ok', what: `${path} can be used` });
  } else {
    findings.push({
      rule: 'state-folder',
      where,
      severity: 'warning',
      what: `${path} cannot be used: ${fault}. jobs and dead-letters keep their records there; the worker does not need it`,
      fix: 'name a folder that this user may write to, or make this one writable',
    });
  }
  if (ledger === undefined) return findings;
  const found = { rule: 'ledger', where: 'ledger of jobs' } as const;
  if (ledger.fault === undefined)
    findings.push({ ...found, severity: 'ok', what: `of ${ledger.setting} can be read` });
  else
    findings.push({
      ...found,
      severity: 'warning',
      // The report names the subject beside the text.
      what: ledger.fault.replace(/^The ledger /, ''),
      fix: `or name another one with ${ledger.setting}`,
    });
  return findings;
};
