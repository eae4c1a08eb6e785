/** Rules about the API: its endpoint, and how it answers. */
import { endpointVariables } from '../aws/endpoints.ts';
import type { Failure } from '../message/failure.ts';
import { printableUrl } from '../text/urls.ts';
import type { CheckFacts } from './facts.ts';
import type { Finding, Rule } from './finding.ts';

/** Where AWS IoT Managed Integrations is known to run. */
const KNOWN_REGIONS: readonly string[] = ['ca-central-1', 'eu-west-1'];

export const apiEndpointRule: Rule = ({ api, region }) => {
  if (api === undefined || !region.ok) return [];
  const where = api.custom ? endpointVariables.api : 'API endpoint';
  const found = { rule: 'api-endpoint', where } as const;
  const findings: Finding[] = [];
  if (!api.custom && !KNOWN_REGIONS.includes(region.value)) {
    findings.push({
      severity: 'warning',
      rule: 'api-region',
      where: 'AWS region',
      what: `IoT Managed Integrations is not known to run in ${region.value}`,
      fix: `use ${KNOWN_REGIONS.join(' or ')}, or set ${endpointVariables.api}`,
    });
  }
  if (api.custom && api.fips) {
    findings.push({
      ...found,
      severity: 'error',
      what: 'is set together with AWS_USE_FIPS_ENDPOINT, which the client refuses',
      fix: 'set only one of the two',
    });
  }
  const shown = printableUrl(api.url);
  if (api.address.ok) {
    findings.push({ ...found, severity: 'ok', what: `${shown} resolves to ${api.address.value}` });
  } else if (isAnswered(api)) {
    // A proxy resolves names itself.
    findings.push({ ...found, severity: 'ok', what: `${shown} is reached through the proxy` });
  } else {
    findings.push({
      ...found,
      severity: 'error',
      what: `${shown} does not resolve: ${api.address.error.message}`,
      fix: 'check the region, the endpoint variable and the DNS server of this host',
    });
  }
  return findings;
};

function isAnswered({ read }: NonNullable<CheckFacts['api']>): boolean {
  return read === 'allowed' || (read !== 'not-asked' && read.status !== undefined);
}

const UPDATE = 'iotmanagedintegrations:UpdateOtaTask';
const READ = 'iotmanagedintegrations:GetOtaTask';

export const apiReadRule: Rule = ({ api }) => {
  // If the host has no address, or the endpoint is refused together with FIPS, the finding above covers it.
  if (api === undefined || (api.custom && api.fips) || !(api.address.ok || isAnswered(api))) return [];
  const known = api.read === 'allowed' || (api.read !== 'not-asked' && api.read.kind === 'rejected');
  return known ? [readFinding(api), updateUnchecked] : [readFinding(api)];
};

function readFinding({ read }: NonNullable<CheckFacts['api']>): Finding {
  const found = { rule: 'api-read', where: 'API' } as const;
  if (read === 'allowed')
    return { ...found, severity: 'ok', what: 'answers, accepts the credentials and allows GetOtaTask' };
  if (read === 'not-asked') {
    const what = 'was not asked, because credentials are missing';
    return { ...found, severity: 'unchecked', what, fix: 'fix those first' };
  }
  return { ...found, ...verdictOn(read) };
}

function verdictOn(failure: Failure): Pick<Finding, 'severity' | 'what' | 'fix'> {
  const { kind, name, message, status } = failure;
  const said = message === '' ? name : `${name}: ${message}`;
  switch (kind) {
    case 'denied':
      return {
        severity: 'unchecked',
        what: `answers, but denies GetOtaTask, which a worker does not need; whether it allows updates is not known (${said})`,
        fix: `the worker needs ${UPDATE}, and logs gate.denied if that is denied; ${READ} lets check see more`,
      };
    case 'throttled':
      return {
        severity: 'warning',
        what: `answers, but throttles requests: it was asked several times (${said})`,
        fix: 'run check again when there is less traffic',
      };
    case 'misconfigured':
      return {
        severity: 'error',
        what: `does not accept the credentials, the signature or the region (${said})`,
        fix: 'renew the credentials; see also the findings on region and clock',
      };
    case 'unreachable':
      return {
        severity: 'error',
        what: `cannot be reached (${said})`,
        fix: 'check the network, the VPC endpoint, the proxy and the endpoint variables',
      };
    case 'unidentified':
      return {
        severity: 'error',
        what: `does not answer there, but a proxy, a login page or another service does (${name === 'ForeignAnswer' ? message : `HTTP ${status}, ${said}`})`,
        fix: 'check the endpoint variables and the network',
      };
    case 'rejected':
      return { severity: 'ok', what: `answers and accepts the credentials (${said})` };
    default:
      if (status === undefined)
        return {
          severity: 'error',
          what: `does not answer (${said})`,
          fix: 'check the network and the proxy',
        };
      return {
        severity: 'error',
        what: `fails; it was asked several times (${said})`,
        fix: 'check the status of AWS in this region; the worker waits until the API answers',
      };
  }
}

const updateUnchecked: Finding = {
  severity: 'unchecked',
  rule: 'api-update',
  where: 'API',
  what: 'whether UpdateOtaTask is allowed: trying it could change a task',
  fix: `the worker needs ${UPDATE}`,
};
