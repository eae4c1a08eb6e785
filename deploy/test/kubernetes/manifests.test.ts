/** The Kubernetes manifests: valid by the schemas of Kubernetes and KEDA, at one with each other, and with settings that the program takes. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScaledObject, TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Namespace, PersistentVolumeClaim, Service, ServiceAccount } from 'kubernetes-models/v1';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { variables } from '../../../src/config/variables.ts';
import { readConfig } from '../../../src/config.ts';
import { objection } from '../../../src/console/access/origins.ts';
import {
  deployments,
  folder,
  type Kind,
  kustomization,
  type Manifest,
  manifests,
  maps,
  ofKind,
  type Pods,
  page,
  root,
} from './read.ts';

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
} as const satisfies Record<Kind, unknown>;

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

  test("gets another namespace by the page's overlay, but for the names that the console answers to", () => {
    const deploy = mkdtempSync(join(tmpdir(), 'ota-updater-kustomize-'));
    onTestFinished(() => rmSync(deploy, { recursive: true }));
    cpSync(folder, join(deploy, 'kubernetes'), { recursive: true });
    const overlay = join(deploy, 'own');
    mkdirSync(overlay);
    const [, lines = ''] = /`kustomization\.yaml`:\n\n((?: {7}.*\n)+)/.exec(page) ?? [];
    writeFileSync(join(overlay, 'kustomization.yaml'), lines.replace(/^ +/gm, '').replace('NAME', 'fleet'));
    const { error, status, stdout, stderr } = spawnSync('kubectl', ['kustomize', overlay], {
      encoding: 'utf8',
    });
    if (error !== undefined)
      return void process.stdout.write('SKIPPED: no kubectl on this machine, kustomize was not run\n');
    expect(status, stderr).toBe(0);
    const made = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
    expect(
      new Set(made.map(({ kind, metadata }) => (kind === 'Namespace' ? metadata.name : metadata.namespace))),
    ).toEqual(new Set(['fleet']));
    const left = stdout.split('\n').filter((line) => /namespace: ota-updater|\.ota-updater\b/.test(line));
    expect(left.map((line) => line.trim().split(':')[0])).toEqual(['CONSOLE_HOSTS']);
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
