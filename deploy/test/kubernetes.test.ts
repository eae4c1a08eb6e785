/** The Kubernetes manifests: valid by the schemas of Kubernetes and KEDA, at one with each other, and with settings that the program takes. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ScaledObject, TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Namespace, PersistentVolumeClaim, Service, ServiceAccount } from 'kubernetes-models/v1';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { variables } from '../../src/config/variables.ts';
import { readConfig } from '../../src/config.ts';
import { objection } from '../../src/console/access/origins.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'deploy/kubernetes');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The documents of a file. @throws Error for what is no YAML, and for a key that stands twice. */
function read(name: string): Manifest[] {
  return parseAllDocuments(readFileSync(join(folder, name), 'utf8'), { uniqueKeys: true }).map((document) => {
    if (document.errors.length > 0) throw new Error(`${name}: ${document.errors.join()}`);
    return document.toJS() as Manifest;
  });
}

const kustomization = read('kustomization.yaml')[0] as unknown as {
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string }[];
};
const manifests = kustomization.resources.flatMap((file) => read(file));

/** By kind: the model, and where its type is. */
const models = {
  ConfigMap: [ConfigMap, 'kubernetes-models/v1'],
  Deployment: [Deployment, 'kubernetes-models/apps/v1'],
  Namespace: [Namespace, 'kubernetes-models/v1'],
  NetworkPolicy: [NetworkPolicy, 'kubernetes-models/networking.k8s.io/v1'],
  PersistentVolumeClaim: [PersistentVolumeClaim, 'kubernetes-models/v1'],
  PodDisruptionBudget: [PodDisruptionBudget, 'kubernetes-models/policy/v1'],
  ScaledObject: [ScaledObject, '@kubernetes-models/keda/keda.sh/v1alpha1'],
  Service: [Service, 'kubernetes-models/v1'],
  ServiceAccount: [ServiceAccount, 'kubernetes-models/v1'],
  TriggerAuthentication: [TriggerAuthentication, '@kubernetes-models/keda/keda.sh/v1alpha1'],
} as const;

type Kind = keyof typeof models;

const ofKind = <M>(kind: Kind): (Manifest & M)[] =>
  manifests.filter((manifest) => manifest.kind === kind) as (Manifest & M)[];

interface Container {
  readonly image: string;
  readonly envFrom: readonly {
    readonly configMapRef?: { readonly name: string };
    readonly secretRef?: { readonly name: string; readonly optional?: boolean };
  }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly securityContext: object;
}

interface Pods {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly serviceAccountName: string;
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: object;
        readonly containers: readonly [Container];
      };
    };
  };
}

const deployments = ofKind<Pods>('Deployment');
const maps = ofKind<{ readonly data: Readonly<Record<string, string>> }>('ConfigMap');

describe('the kustomization', () => {
  test('names every file, and uses resources and images only', () => {
    expect(Object.keys(kustomization).toSorted()).toEqual(['apiVersion', 'images', 'kind', 'resources']);
    const files = readdirSync(folder).filter(
      (name) => name.endsWith('.yaml') && name !== 'kustomization.yaml',
    );
    expect([...kustomization.resources].toSorted()).toEqual(files.toSorted());
    expect(kustomization.images.map(({ name }) => name)).toEqual(['ota-updater']);
  });

  test('is taken by kustomize, where that is at hand', () => {
    const { error, status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], {
      encoding: 'utf8',
    });
    if (error !== undefined)
      return void process.stdout.write('SKIPPED: no kubectl on this machine, kustomize was not run\n');
    expect(status, stderr).toBe(0);
    const made = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
    expect(made.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted()).toEqual(
      manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted(),
    );
    expect(stdout).toContain('image: registry.example.com/ota-updater:0.1.0');
  });
});

describe('every manifest', () => {
  test.each(manifests.map((manifest) => ({ name: `${manifest.kind} ${manifest.metadata.name}`, manifest })))(
    '$name is valid by its schema, and in the namespace',
    ({ manifest }) => {
      const [Model] = models[manifest.kind as Kind];
      expect(Model.apiVersion).toBe(manifest.apiVersion);
      const model = new Model(manifest as never);
      expect(() => model.validate()).not.toThrow();
      if (manifest.kind !== 'Namespace') expect(manifest.metadata.namespace).toBe('ota-updater');
    },
  );

  // The schemas let pass what they do not know; types do not.
  test('has no field that its type does not know', () => {
    const own = join(root, 'deploy/node_modules/.manifests');
    rmSync(own, { recursive: true, force: true });
    mkdirSync(own, { recursive: true });
    onTestFinished(() => rmSync(own, { recursive: true }));
    const lines = manifests.map((manifest, i) => {
      const [, from] = models[manifest.kind as Kind];
      return `export const m${i}: import('${from}').I${manifest.kind} = ${JSON.stringify(manifest)};`;
    });
    writeFileSync(join(own, 'manifests.ts'), lines.join('\n'));
    const options = { strict: true, noEmit: true, module: 'NodeNext', skipLibCheck: true, types: [] };
    writeFileSync(
      join(own, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['manifests.ts'] }),
    );
    const tsc = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', own], { encoding: 'utf8' });
    expect({ status: tsc.status, said: tsc.stdout + tsc.stderr }).toEqual({ status: 0, said: '' });
  });
});

describe.each(deployments.map((each) => ({ name: each.metadata.name, ...each.spec })))(
  'the pods of $name',
  ({ name, selector, template }) => {
    const { spec, metadata } = template;
    const [container] = spec.containers;

    test('keep to the restricted profile, with a read-only root', () => {
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(spec.containers).toHaveLength(1);
      expect(container.image).toBe('ota-updater');
    });

    test('get longer to stop than they take', () => {
      const { shutdownGraceSeconds } = readConfig({}, ['shutdownGraceSeconds']);
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(shutdownGraceSeconds);
    });

    test('are chosen by labels that they have, by all that choose them', () => {
      const component = { 'app.kubernetes.io/name': 'ota-updater', 'app.kubernetes.io/component': name };
      expect(metadata.labels).toEqual(component);
      expect(selector.matchLabels).toEqual(component);
      const services = ofKind<{ readonly spec: { readonly selector: object } }>('Service');
      expect(services.find((each) => each.metadata.name === name)?.spec.selector).toEqual(component);
      const budgets = ofKind<Pods>('PodDisruptionBudget');
      expect(budgets.find((each) => each.metadata.name === name)?.spec.selector.matchLabels).toEqual(
        component,
      );
      const network = ofKind<{ readonly spec: { readonly podSelector: object } }>('NetworkPolicy');
      expect(network.find((each) => each.metadata.name === name)?.spec.podSelector).toEqual({
        matchLabels: component,
      });
      expect(ofKind('ServiceAccount').map((each) => each.metadata.name)).toContain(spec.serviceAccountName);
    });

    test('get settings that the program takes, and are probed where it listens', () => {
      const env = Object.assign(
        {},
        ...container.envFrom.map(({ configMapRef }) =>
          configMapRef === undefined
            ? {}
            : maps.find(({ metadata: { name: map } }) => map === configMapRef.name)?.data,
        ),
      ) as Record<string, string>;
      const known = Object.values(variables).map(({ name: variable }) => variable);
      expect(Object.keys(env).filter((variable) => !known.includes(variable))).toEqual(['AWS_REGION']);
      const config = readConfig(env);
      const [host, port] =
        name === 'worker' ? [config.httpHost, config.httpPort] : [config.consoleHost, config.consolePort];
      expect(host).toBe('0.0.0.0');
      expect(container.ports).toEqual([{ name: 'http', containerPort: port }]);
      for (const { httpGet } of [container.livenessProbe, container.readinessProbe])
        expect(httpGet.port).toBe('http');
    });
  },
);

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

test('the console answers Prometheus by each name of its service, and browsers by its own', () => {
  const [service] = ofKind('Service').filter(({ metadata }) => metadata.name === 'console');
  const inCluster = `${service?.metadata.name}.${service?.metadata.namespace}`;
  const { consoleHosts = [] } = readConfig(
    maps.find(({ metadata }) => metadata.name === 'console')?.data ?? {},
    ['consoleHosts'],
  );
  const names = ['', '.svc', '.svc.cluster.local'].map((end) => `${inCluster}${end}`);
  for (const host of ['ota.example.com', ...names])
    expect(objection({ host }, 'GET', consoleHosts), host).toBeUndefined();
  expect(objection({ host: 'other.example.com' }, 'GET', consoleHosts)).toContain('CONSOLE_HOSTS');
});

test('KEDA scales the worker, to two at most', () => {
  const [scaled] = ofKind<{
    readonly spec: {
      readonly scaleTargetRef: { readonly name: string };
      readonly minReplicaCount: number;
      readonly maxReplicaCount: number;
      readonly triggers: readonly [{ readonly metadata: Readonly<Record<string, string>> }];
    };
  }>('ScaledObject');
  expect(scaled?.spec).toMatchObject({
    scaleTargetRef: { name: 'worker' },
    minReplicaCount: 1,
    maxReplicaCount: 2,
  });
  const queues = maps.find(({ metadata }) => metadata.name === 'queues')?.data;
  expect(scaled?.spec.triggers[0].metadata.queueURL).toBe(queues?.QUEUE_URL);
  expect(scaled?.spec.triggers[0].metadata.awsRegion).toBe(queues?.AWS_REGION);
  // `workload` would need the annotation of IRSA, which is absent with EKS Pod Identity.
  const [auth] = ofKind<{ readonly spec: { readonly podIdentity: object } }>('TriggerAuthentication');
  expect(auth?.spec.podIdentity).toEqual({ provider: 'aws', identityOwner: 'keda' });
  // KEDA sets it, and a number in the manifest would set it back with each apply.
  expect(deployments.find(({ metadata }) => metadata.name === 'worker')?.spec).not.toHaveProperty('replicas');
});

const page = readFileSync(join(folder, 'README.md'), 'utf8');

describe('the commands of the page for roles', () => {
  const [, section = ''] = page.split(/^## Roles$/m);
  const [functions = '', irsa = '', podIdentity = '', kedaRole = '', keda = ''] = [
    ...section.matchAll(/^(?: {4}\S.*\n(?: {4,}.*\n)*)+/gm),
  ].map(([block]) => block);
  const settings = maps.find(({ metadata }) => metadata.name === 'queues')?.data ?? {};
  const accounts = ofKind<{
    readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  }>('ServiceAccount').map(({ metadata: { name, namespace, annotations } }) => ({
    name,
    namespace,
    arn: annotations['eks.amazonaws.com/role-arn'] ?? '',
  }));

  /** What the AWS CLI is called with: the words of the command, and its flags. */
  function calls(...blocks: readonly string[]) {
    const aws =
      'aws() { case "$*" in *describe-cluster*) echo https://oidc.example.com/id/ABC ;; *) printf "%s\\037" "$@"; printf "\\036" ;; esac; }';
    const { status, stdout, stderr } = spawnSync('bash', ['-ec', [aws, ...blocks].join('\n')], {
      cwd: root,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout
      .split('\u001e')
      .filter((call) => call !== '')
      .map((call) => {
        const words = call.split('\u001f').slice(0, -1);
        const flag = (name: string): string => words[words.indexOf(`--${name}`) + 1] ?? '';
        return { command: words.slice(0, 2).join(' '), flag };
      });
  }

  const made = (name: string, ...blocks: readonly string[]) =>
    calls(...blocks).filter(({ command }) => command === name);

  test('give each service account the role that its annotation names, for IRSA', () => {
    const roles = made('iam create-role', functions, irsa).map(({ flag }) => ({
      role: flag('role-name'),
      trust: JSON.parse(flag('assume-role-policy-document')).Statement[0],
    }));
    expect(roles.map(({ role }) => role)).toEqual(accounts.map(({ arn }) => arn.split('/')[1]));
    for (const [i, { name, namespace }] of accounts.entries())
      expect(roles[i]?.trust).toEqual({
        Effect: 'Allow',
        Principal: { Federated: 'arn:aws:iam::111111111111:oidc-provider/oidc.example.com/id/ABC' },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: {
            'oidc.example.com/id/ABC:aud': 'sts.amazonaws.com',
            'oidc.example.com/id/ABC:sub': `system:serviceaccount:${namespace}:${name}`,
          },
        },
      });
  });

  test('associate each service account with a role that trusts it, for EKS Pod Identity', () => {
    const trusts = made('iam create-role', functions, podIdentity).map(
      ({ flag }) => JSON.parse(flag('assume-role-policy-document')).Statement[0],
    );
    const associations = made('eks create-pod-identity-association', functions, podIdentity);
    expect(
      associations.map(({ flag }) => ({
        name: flag('service-account'),
        namespace: flag('namespace'),
        arn: flag('role-arn'),
      })),
    ).toEqual(accounts);
    for (const [i, { name, namespace }] of accounts.entries())
      expect(trusts[i]).toEqual({
        Effect: 'Allow',
        Principal: { Service: 'pods.eks.amazonaws.com' },
        Action: ['sts:AssumeRole', 'sts:TagSession'],
        Condition: {
          StringEquals: {
            'aws:RequestTag/kubernetes-namespace': namespace,
            'aws:RequestTag/kubernetes-service-account': name,
          },
        },
      });
  });

  test.each([
    {
      kind: 'irsa',
      condition: {
        'oidc.example.com/id/ABC:aud': 'sts.amazonaws.com',
        'oidc.example.com/id/ABC:sub': 'system:serviceaccount:keda:keda-operator',
      },
    },
    {
      kind: 'pod-identity',
      condition: {
        'aws:RequestTag/kubernetes-namespace': 'keda',
        'aws:RequestTag/kubernetes-service-account': 'keda-operator',
      },
    },
  ])('make a role for KEDA that trusts its operator: $kind', ({ kind, condition }) => {
    const block = kedaRole.replace('irsa.json', `${kind}.json`);
    const [role] = made('iam create-role', functions, irsa, block).slice(-1);
    expect(role?.flag('role-name')).toBe('ota-updater-keda');
    expect(
      JSON.parse(role?.flag('assume-role-policy-document') ?? '').Statement[0].Condition.StringEquals,
    ).toEqual(condition);
  });

  test('permit what deploy/iam does, on the queues of the settings', () => {
    const queues = new Set(
      [settings.QUEUE_URL, settings.DEAD_LETTER_QUEUE_URL, settings.OUTCOME_QUEUE_URL].map((url = '') => {
        const [account, name] = url.split('/').slice(-2);
        return `arn:aws:sqs:${settings.AWS_REGION}:${account}:${name}`;
      }),
    );
    for (const block of [irsa, podIdentity]) {
      const policies = made('iam put-role-policy', functions, block);
      expect(policies).toHaveLength(2);
      for (const { flag } of policies) {
        const seen = flag('policy-document').match(/arn:aws:sqs:[^"]*/g) ?? [];
        expect(new Set(seen)).toEqual(queues);
        // What is left to the reader is named before.
        for (const [left] of flag('policy-document').matchAll(/[A-Z]{3,}(_[A-Z]+)+/g))
          expect(section.slice(0, section.indexOf(functions))).toContain(`\`${left}\``);
      }
    }
    const [ofKeda] = made('iam put-role-policy', functions, kedaRole, keda);
    expect(JSON.parse(ofKeda?.flag('policy-document') ?? '').Statement).toEqual([
      { Effect: 'Allow', Action: 'sqs:GetQueueAttributes', Resource: [...queues][0] },
    ]);
  });
});

test('the page names the authority of PostgreSQL where the console mounts it, by the key that it creates', () => {
  const [, path = ''] = /sslmode=verify-full&sslrootcert=(\S+?)'/.exec(page) ?? [];
  const [, name, key] = /create configmap (\S+) --from-file=([^=\s]+)=/.exec(page) ?? [];
  const console = deployments.find(({ metadata }) => metadata.name === 'console');
  const { containers, volumes } = (console?.spec.template.spec ?? {}) as unknown as {
    readonly containers: readonly [{ readonly volumeMounts: readonly { name: string; mountPath: string }[] }];
    readonly volumes: readonly { name: string; configMap?: { name: string; optional: boolean } }[];
  };
  const volume = volumes.find(({ configMap }) => configMap?.name === name);
  expect(volume?.configMap).toEqual({ name, optional: true });
  const mount = containers[0].volumeMounts.find((each) => each.name === volume?.name);
  expect(path).toBe(`${mount?.mountPath}/${key}`);
});
