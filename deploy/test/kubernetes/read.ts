/** The manifests of deploy/kubernetes, as the tests read them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

export const root = join(import.meta.dirname, '../../..');
export const folder = join(root, 'deploy/kubernetes');
export const page = readFileSync(join(folder, 'README.md'), 'utf8');

export interface Manifest {
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

export const kustomization = read('kustomization.yaml')[0] as unknown as {
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string }[];
};
export const manifests = kustomization.resources.flatMap((file) => read(file));

export type Kind =
  | 'ConfigMap'
  | 'Deployment'
  | 'Namespace'
  | 'NetworkPolicy'
  | 'PersistentVolumeClaim'
  | 'PodDisruptionBudget'
  | 'ScaledObject'
  | 'Service'
  | 'ServiceAccount'
  | 'TriggerAuthentication';

/** The manifests of a kind. */
export const ofKind = <M>(kind: Kind): (Manifest & M)[] =>
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

export interface Pods {
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

export const deployments = ofKind<Pods>('Deployment');
export const maps = ofKind<{ readonly data: Readonly<Record<string, string>> }>('ConfigMap');
