/** The network policies of the manifests: what they let through, and nothing else. */
import { expect, test } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { maps, ofKind } from './read.ts';

test('the network lets through what is named here and nothing else, at the ports where the pods listen', () => {
  interface Labels {
    readonly matchLabels: Readonly<Record<string, string>>;
  }
  interface Peer {
    readonly podSelector?: Labels;
    readonly namespaceSelector?: Labels;
    readonly ipBlock?: { readonly cidr: string };
  }
  interface Rule {
    readonly from?: readonly Peer[];
    readonly to?: readonly Peer[];
    readonly ports?: readonly { readonly port: number; readonly protocol: string }[];
  }
  const policies = ofKind<{
    readonly spec: {
      readonly podSelector: Partial<Labels>;
      readonly policyTypes: readonly string[];
      readonly ingress?: readonly Rule[];
      readonly egress?: readonly Rule[];
    };
  }>('NetworkPolicy');
  const label = ({ matchLabels }: Labels): string => JSON.stringify(matchLabels).replace(/[{}"]/g, '');
  const peer = ({ podSelector, namespaceSelector, ipBlock }: Peer): string =>
    [
      podSelector && `pods ${label(podSelector)}`,
      namespaceSelector && `namespaces ${label(namespaceSelector)}`,
      ipBlock?.cidr,
    ]
      .filter(Boolean)
      .join(' in ');
  const lines = policies.flatMap(({ metadata, spec: { ingress = [], egress = [] } }) =>
    [
      ...ingress.map((rule) => ['in', rule] as const),
      ...egress.map((rule) => ['out', rule] as const),
    ].flatMap(([way, { from, to, ports = [] }]) =>
      (from ?? to ?? [undefined]).flatMap((other) =>
        (ports.length === 0 ? [{ port: 'any', protocol: 'any' }] : ports).map(
          ({ port, protocol }) =>
            `${metadata.name} ${way} ${other === undefined ? 'anywhere' : peer(other)} ${port}/${protocol}`,
        ),
      ),
    ),
  );
  const settings = Object.assign({}, ...maps.map(({ data }) => data)) as Readonly<Record<string, string>>;
  const { httpPort, consolePort } = readConfig(settings, ['httpPort', 'consolePort']);
  const pods = (component: string): string =>
    `pods app.kubernetes.io/name:ota-updater,app.kubernetes.io/component:${component}`;
  expect(lines.toSorted()).toEqual(
    [
      'aws out namespaces kubernetes.io/metadata.name:kube-system 53/UDP',
      'aws out namespaces kubernetes.io/metadata.name:kube-system 53/TCP',
      'aws out anywhere 443/TCP',
      'aws out 169.254.170.23/32 80/TCP',
      `worker in ${pods('console')} ${httpPort}/TCP`,
      `worker in namespaces ota-updater/metrics:true ${httpPort}/TCP`,
      'worker out anywhere 6379/TCP',
      'console out anywhere 4318/TCP',
      'worker out anywhere 4318/TCP',
      `console in namespaces ota-updater/console:true ${consolePort}/TCP`,
      `console in namespaces ota-updater/metrics:true ${consolePort}/TCP`,
      `console out ${pods('worker')} ${httpPort}/TCP`,
      'console out anywhere 5432/TCP',
    ].toSorted(),
  );
  // One that chooses all pods and lets nothing through: what is not named is refused.
  expect(policies.find(({ metadata }) => metadata.name === 'nothing')?.spec).toEqual({
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
  });
});
