/** The Terraform module makes what the CDK template makes: resource by resource, action by action, value by value. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { comparedPaths, differences } from './compare.ts';
import { at, type Block, folder, instances, isList, isRule, type Json, readModule } from './module.ts';
import { onlyCloudFormation, onlyTerraform, pairs } from './pairs.ts';
import { readTemplate } from './template.ts';

const module = await readModule();
const template = readTemplate();
const isRuleType = /^AWS::EC2::SecurityGroup(In|E)gress$/;

test('both have the same resources', () => {
  const tf = [...module.resources.keys()].filter((name) => !isRule.test(name));
  expect(tf.toSorted()).toEqual([...pairs.map((pair) => pair.tf), ...onlyTerraform].toSorted());
  const cfn = [...template].filter(([, { Type }]) => !isRuleType.test(Type)).map(([id]) => id);
  expect(cfn.toSorted()).toEqual(
    [...new Set([...pairs.flatMap((pair) => pair.cfn), ...onlyCloudFormation])].toSorted(),
  );
  for (const { tf: name, cfn: ids } of pairs)
    expect(instances(module.resources.get(name) ?? {}), name).toBe(ids.length);
});

describe('each value of either stands in the other', () => {
  test.each(pairs)('$tf', (pair) => {
    expect(differences(pair, module.resources.get(pair.tf) ?? {}, template)).toEqual([]);
  });

  /** A value at a path of a block replaced, or left out. */
  const changed = (value: Json, [name = '', ...rest]: readonly string[], to: Json | undefined): Json => {
    if (isList(value)) {
      const all = value.map((each, i) => (String(i) === name ? inside(each, rest, to) : each));
      return all.filter((each) => each !== undefined);
    }
    const entries = Object.entries(value as Block).flatMap(([key, each]) => {
      const made = key === name ? inside(each, rest, to) : each;
      return made === undefined ? [] : [[key, made] as const];
    });
    return Object.fromEntries(entries);
  };
  const inside = (value: Json, path: readonly string[], to: Json | undefined): Json | undefined =>
    path.length === 0 ? to : changed(value, path, to);

  test.each(
    pairs.flatMap((pair) => comparedPaths(pair).map((path) => [`${pair.tf} ${path}`, pair, path] as const)),
  )('%s: another value is noticed, and none', (_, pair, path) => {
    const block = module.resources.get(pair.tf) ?? {};
    for (const to of ['another', '${var.another}', undefined])
      expect(differences(pair, changed(block, path.split('.'), to) as Block, template)).not.toEqual([]);
  });

  test('a value that the template does not have is noticed', () => {
    const all = pairs.filter(({ own = [] }) => !own.some((pattern) => pattern.test('another')));
    expect(all.length).toBeGreaterThan(30);
    for (const pair of all) {
      const block = { ...module.resources.get(pair.tf), another: [{ value: true }] };
      expect(differences(pair, block, template), pair.tf).not.toEqual([]);
    }
  });
});

test('secrets are as long, and without punctuation', () => {
  for (const [name, id] of [
    ['ledger', 'LedgerSecret'],
    ['valkey', 'SharedToken'],
  ] as const) {
    const generated = at(template.get(id)?.Properties, 'GenerateSecretString') as Block;
    const own = module.resources.get(`random_password.${name}`);
    expect([own?.length, own?.special]).toEqual([generated.PasswordLength, !generated.ExcludePunctuation]);
  }
});

test('the ledger has the user that its secret names', () => {
  const made = JSON.parse(
    String(at(template.get('LedgerSecret')?.Properties, 'GenerateSecretString.SecretStringTemplate')),
  );
  expect(made).toEqual({ username: module.resources.get('aws_db_instance.ledger')?.username });
});

test('the load balancer is on the internet', () => {
  expect(module.resources.get('aws_lb.console')?.internal).toBe(false);
  expect(template.get('ConsoleLoadBalancer')?.Properties.Scheme).toBe('internet-facing');
});

test('queues take encrypted connections only, and have the redrive policy that never fires', () => {
  const denied = at(module.data.get('aws_iam_policy_document.only_encrypted_connections'), 'statement.0');
  const theirs = at(template.get('QueuesUpdatesPolicy')?.Properties, 'PolicyDocument.Statement.0') as Block;
  expect([at(denied, 'effect'), at(denied, 'actions.0'), at(denied, 'condition.0.test')]).toEqual([
    theirs.Effect,
    theirs.Action,
    Object.keys(theirs.Condition as Block)[0],
  ]);
  const redrive = at(template.get('QueuesUpdates')?.Properties, 'RedrivePolicy.maxReceiveCount');
  expect(module.resources.get('aws_sqs_queue.updates')?.redrive_policy).toMatch(
    new RegExp(`maxReceiveCount += ${String(redrive)}\\b`),
  );
});

test('alarms look at the same dimension', () => {
  for (const { tf, cfn } of pairs.filter(({ tf: name }) => name.startsWith('aws_cloudwatch_metric_alarm.')))
    expect(Object.keys(module.resources.get(tf)?.dimensions ?? {}), tf).toEqual([
      at(template.get(cfn[0] ?? '')?.Properties, 'Dimensions.0.Name'),
    ]);
});

test('terraform itself takes it, where it and its providers are at hand', () => {
  const terraform = (...args: readonly string[]) =>
    spawnSync('terraform', args, { cwd: fileURLToPath(folder), encoding: 'utf8' });
  const skip = (why: string): void => void process.stdout.write(`SKIPPED: terraform validate: ${why}\n`);
  if (terraform('version').status !== 0) return skip('there is no terraform on this machine');
  expect(terraform('fmt', '-check', '-diff').stdout).toBe('');
  if (terraform('init', '-backend=false', '-input=false').status !== 0)
    return skip('its providers cannot be had here; the format was checked');
  const { status, stdout, stderr } = terraform('validate');
  expect(status, stdout + stderr).toBe(0);
});
