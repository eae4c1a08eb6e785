/** The Terraform module makes what the CDK template makes: resource by resource, action by action, value by value. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { at, type Block, folder, instances, isRule, type Json, readModule } from './module.ts';
import { onlyCloudFormation, onlyTerraform, pairs } from './pairs.ts';
import { literals, readTemplate } from './template.ts';

const module = await readModule();
const template = readTemplate();
const isRuleType = /^AWS::EC2::SecurityGroup(In|E)gress$/;

/** Defaults of the module's variables, as far as values depend on them. */
const filled = (value: Json | undefined): Json | undefined => {
  if (typeof value !== 'string') return value;
  const text = value.replace('${var.name}', 'ota-updater').replace('${local.suffix}', '');
  return text === '${var.too_old_seconds}' ? 900 : text;
};

test('both have the same resources', () => {
  const tf = [...module.resources.keys()].filter((name) => !isRule.test(name));
  expect(tf.toSorted()).toEqual([...pairs.map((pair) => pair.tf), ...onlyTerraform].toSorted());
  const cfn = [...template].filter(([, { Type }]) => !isRuleType.test(Type)).map(([id]) => id);
  expect(cfn.toSorted()).toEqual([...pairs.flatMap((pair) => pair.cfn), ...onlyCloudFormation].toSorted());
  for (const { tf: name, cfn: ids } of pairs)
    expect(instances(module.resources.get(name) ?? {}), name).toBe(ids.length);
});

describe('every value that stands in the template stands in the module', () => {
  test.each(pairs)('$tf', ({ tf, cfn, same = {}, other = [] }) => {
    const block = module.resources.get(tf);
    for (const id of cfn) {
      const properties = template.get(id)?.Properties ?? {};
      const stand = literals(properties).filter(([path]) => !other.some((pattern) => pattern.test(path)));
      expect(stand.map(([path]) => path).toSorted()).toEqual(Object.keys(same).toSorted());
      for (const [path, value] of stand)
        expect(String(filled(at(block, same[path] ?? ''))), `${id} ${path}`).toBe(String(value));
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
