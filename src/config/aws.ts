/**
 * Checks the variables of AWS's SDK and of proxies before the first request. The SDK reads them itself on each call, and
 * a value that it cannot use would look like a fault of the service or of a message.
 */
import { COMMON_ENDPOINT, customEndpoint, isClearTextToAws } from '../aws/endpoints.ts';
import { proxyFaults } from '../aws/proxy.ts';
import { type Environment, readVariable } from './environment.ts';
import { profileRegion, type ReadText, readTextFile } from './shared-file.ts';

/** Why a request over http to AWS is refused. */
export const CLEAR_TEXT =
  'must begin with https://: over http, tokens, updates and answers can be read in transit';

/** Whether a variable belongs to the SDK or to a proxy. */
const ours = /^\ufeff?(AWS_[A-Z0-9_]+|https?_proxy|no_proxy)$/i;

/** Valid regions for the SDK: the region becomes part of host names. */
const REGION = /^(?!-)[a-zA-Z0-9-]{1,63}(?<!-)$/;

/** Every fault of these variables, as `NAME: what is wrong`. Values that may be secret are not repeated. */
export function awsFaults(env: Environment, read: ReadText = readTextFile): string[] {
  const written = Object.keys(env)
    .filter((name) => ours.test(name))
    .map((name) => name.replace('\ufeff', ''))
    .flatMap((name) => {
      const { fault } = readVariable(env, name);
      return fault === undefined ? [] : [{ name, fault: `${name}: ${fault}` }];
    });
  const wrong = new Set(written.map(({ name }) => name));
  // A variable that is written wrong already has a fault.
  const rest: Environment = Object.fromEntries(Object.entries(env).filter(([name]) => !wrong.has(name)));
  return [
    ...written.map(({ fault }) => fault),
    ...(wrong.has('AWS_REGION') ? [] : regionFaults(rest, read)),
    ...endpointFaults(rest),
    ...switchFaults(rest),
    ...proxyFaults(rest),
  ];
}

function regionFaults(env: Environment, read: ReadText): string[] {
  const region = env.AWS_REGION;
  if (region) {
    return REGION.test(region)
      ? []
      : [`AWS_REGION: must be the name of a region, such as eu-west-1 (is ${JSON.stringify(region)})`];
  }
  if (profileRegion(env, read) !== undefined) return [];
  const other = env.AWS_DEFAULT_REGION
    ? "; AWS_DEFAULT_REGION is set, but AWS's SDK for JavaScript does not read it: set AWS_REGION to its value"
    : '';
  return [`AWS_REGION: is required (such as eu-west-1), unless the profile has a region${other}`];
}

function endpointFaults(env: Environment): string[] {
  // Including those of STS and of the sign-in services.
  const names = Object.keys(env).filter(
    (name) => name === COMMON_ENDPOINT || name.startsWith(`${COMMON_ENDPOINT}_`),
  );
  return names.flatMap((name) => {
    const text = env[name];
    if (!text) return [];
    if (isClearTextToAws(text)) return [`${name}: ${CLEAR_TEXT}`];
    const url = URL.parse(text);
    const good = url?.hostname && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash;
    return good ? [] : [`${name}: must be a URL with its scheme, such as http://localhost:8080`];
  });
}

/** Switches that choose endpoints, and the services that refuse every request if an endpoint is also set. */
const switches = [
  { name: 'AWS_USE_FIPS_ENDPOINT', excludes: ['sqs', 'api'] },
  { name: 'AWS_USE_DUALSTACK_ENDPOINT', excludes: ['sqs'] },
] as const;

function switchFaults(env: Environment): string[] {
  return switches.flatMap(({ name, excludes }) => {
    const text = env[name];
    if (!text || text === 'false') return [];
    if (text !== 'true') return [`${name}: must be true or false`];
    return excludes.every((service) => customEndpoint(env, service) === undefined)
      ? []
      : [`${name}: cannot be true together with an endpoint (AWS_ENDPOINT_URL…): leave one of them out`];
  });
}
