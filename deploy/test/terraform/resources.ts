/** The Terraform module makes what the CDK template makes: resource by resource, action by action, value by value. */
import { expect } from 'vitest';
import { differences } from './compare.ts';
import { at, type Block, encoded, instances, isRule, type Room } from './module.ts';
import { onlyCloudFormation, onlyTerraform, pairs } from './pairs.ts';
import { readTemplate, shortId } from './template.ts';

const template = readTemplate();
const isRuleType = /^AWS::EC2::SecurityGroup(In|E)gress$/;

export const resources: Room = (module, check) => {
  check('both have the same resources', () => {
    const tf = [...module.resources.keys()].filter((name) => !isRule.test(name));
    expect(tf.toSorted()).toEqual([...pairs.map((pair) => pair.tf), ...onlyTerraform].toSorted());
    const cfn = [...template].filter(([, { Type }]) => !isRuleType.test(Type)).map(([id]) => id);
    expect(cfn.toSorted()).toEqual(
      [...new Set([...pairs.flatMap((pair) => pair.cfn), ...onlyCloudFormation])].toSorted(),
    );
    for (const { tf: name, cfn: ids } of pairs)
      expect(instances(module.resources.get(name) ?? {}), name).toBe(ids.length);
  });

  for (const pair of pairs)
    check(`${pair.tf}: each value stands in the template, and the template's in it`, () => {
      expect(differences(pair, module.resources.get(pair.tf) ?? {}, template)).toEqual([]);
    });

  check('secrets are as long, and without punctuation', () => {
    for (const [name, id] of [
      ['ledger', 'LedgerSecret'],
      ['valkey', 'SharedToken'],
    ] as const) {
      const generated = at(template.get(id)?.Properties, 'GenerateSecretString') as Block;
      const own = module.resources.get(`random_password.${name}`);
      expect(own).toEqual({
        count: name === 'ledger' ? '${local.ledger ? 1 : 0}' : '${var.valkey ? 1 : 0}',
        length: generated.PasswordLength,
        special: !generated.ExcludePunctuation,
      });
    }
  });

  check('the ledger has the user that its secret names, and the password that is made for it', () => {
    const { GenerateStringKey, SecretStringTemplate } = at(
      template.get('LedgerSecret')?.Properties,
      'GenerateSecretString',
    ) as Block;
    const user = JSON.parse(String(SecretStringTemplate)) as Block;
    expect(user).toEqual({ username: module.resources.get('aws_db_instance.ledger')?.username });
    const version = module.resources.get('aws_secretsmanager_secret_version.ledger');
    expect(encoded(version?.secret_string ?? null)).toEqual({
      ...user,
      [String(GenerateStringKey)]: '${random_password.ledger[0].result}',
    });
  });

  check('the load balancer is on the internet', () => {
    expect(module.resources.get('aws_lb.console')?.internal).toBe(false);
    expect(template.get('ConsoleLoadBalancer')?.Properties.Scheme).toBe('internet-facing');
  });

  check('each queue takes encrypted connections only, from whomever', () => {
    const denied = module.data.get('aws_iam_policy_document.only_encrypted_connections');
    const own = module.resources.get('aws_sqs_queue_policy.this');
    const queues = ['Updates', 'DeadLetters', 'Outcomes'];
    for (const name of queues) {
      const policy = template.get(`Queues${name}Policy`)?.Properties;
      const { Action, Effect, Principal, Condition, Resource } = at(
        policy,
        'PolicyDocument.Statement.0',
      ) as Block;
      expect(denied).toEqual({
        for_each: own?.for_each,
        statement: [
          {
            actions: [Action],
            effect: Effect,
            principals: Object.entries(Principal ?? {}).map(([type, who]) => ({ type, identifiers: [who] })),
            condition: Object.entries(Condition ?? {}).flatMap(([test, values]) =>
              Object.entries(values as Block).map(([variable, value]) => ({
                test,
                variable,
                values: [value],
              })),
            ),
            resources: ['${each.value.arn}'],
          },
        ],
      });
      expect(at(policy, 'PolicyDocument.Statement.1')).toBeUndefined();
      const of = [at(Resource, 'Fn::GetAtt.0'), at(policy, 'Queues.0.Ref')].map((id) => shortId(String(id)));
      expect([...of, at(Resource, 'Fn::GetAtt.1')]).toEqual([`Queues${name}`, `Queues${name}`, 'Arn']);
    }
    expect(own).toEqual({
      for_each: '${local.queues}',
      queue_url: '${each.value.url}',
      policy: '${data.aws_iam_policy_document.only_encrypted_connections[each.key].json}',
    });
    const names = queues.map((name) => name.replace(/\B[A-Z]/, '_$&').toLowerCase());
    expect(module.locals.queues).toEqual(
      Object.fromEntries(names.map((name) => [name, `\${aws_sqs_queue.${name}}`])),
    );
  });

  check('alarms look at the same dimension', () => {
    for (const { tf, cfn } of pairs.filter(({ tf: name }) => name.startsWith('aws_cloudwatch_metric_alarm.')))
      expect(Object.keys(module.resources.get(tf)?.dimensions ?? {}), tf).toEqual([
        at(template.get(cfn[0] ?? '')?.Properties, 'Dimensions.0.Name'),
      ]);
  });
};
