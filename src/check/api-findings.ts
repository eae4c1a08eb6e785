/** The rule about the API's endpoint. */

import { endpointVariables } from '../aws/endpoints.ts';
import { printableUrl } from '../text/urls.ts';
import type { Finding, Rule } from './finding.ts';

/** Where AWS IoT Managed Integrations is known to run. */
const KNOWN_REGIONS: readonly string[] = ['ca-central-1', 'eu-west-1'];

export const apiRule: Rule = ({ api, region }) => {
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
