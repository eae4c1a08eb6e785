/** The page of the manifests: its commands make what the manifests name. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deployments, folder, maps, ofKind, page, root } from './read.ts';

/** Those of the page's readers that are at hand. */
const shells = ['bash', 'zsh'].filter((shell) => spawnSync(shell, ['-c', ':']).status === 0);

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
    const [stdout = '', ...others] = shells.map((shell) => {
      const ran = spawnSync(shell, ['-ec', [aws, ...blocks].join('\n')], { cwd: root, encoding: 'utf8' });
      expect({ shell, status: ran.status, stderr: ran.stderr }).toEqual({ shell, status: 0, stderr: '' });
      return ran.stdout;
    });
    for (const other of others) expect(other).toBe(stdout);
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

  test('name the queues and the namespace in one place each', () => {
    const [places = '', uses = ''] = functions.split(/(?=^ {4}fill)/m);
    const others = places.replace(/\b(?:NAMESPACE|UPDATES|DEAD_LETTERS|OUTCOMES)=/g, '$&other-');
    const before = calls(places, uses, irsa, kedaRole, keda, podIdentity);
    const after = calls(others, uses, irsa, kedaRole, keda, podIdentity);
    const values = ({ flag }: (typeof before)[number]): string =>
      [flag('policy-document'), flag('assume-role-policy-document'), flag('namespace')].join('\n');
    const renamed = (text: string): string =>
      text
        .replace(/\b(?:ota-updater-(?:updates|dead-letters|outcomes))\b/g, 'other-$&')
        .replace(/(?<=serviceaccount:|kubernetes-namespace": "|^)ota-updater(?=[:"]|$)/gm, 'other-$&');
    expect(after.map(values)).toEqual(before.map((call) => renamed(values(call))));
    expect(after.map(values).join('\n')).toContain('other-ota-updater:worker');
  });
});

test('the page names every file in which the reader puts values of their own', () => {
  const [, step = ''] = /^3\. ((?:.|\n(?!4\. ))*)/m.exec(page) ?? [];
  const own = readdirSync(folder).filter(
    (name) =>
      name.endsWith('.yaml') &&
      /[a-z]+\.example\.com|111111111111|eu-west-1/.test(readFileSync(join(folder, name), 'utf8')),
  );
  expect([...new Set(step.match(/[a-z-]+\.yaml/g))].toSorted()).toEqual(own.toSorted());
});

test('the page names every step that names the namespace', () => {
  const [, listed = ''] = /commands and names of steps ([\d, and]+)$/m.exec(page) ?? [];
  const steps = [...page.matchAll(/^(\d)\. (?:.|\n(?!\d\. |## ))*/gm)].filter(([step]) =>
    /(?:-n|namespace|worker\.|console\.) ?ota-updater\b(?!…)/.test(step),
  );
  expect(steps.map(([, number]) => number)).toEqual(listed.match(/\d/g));
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
