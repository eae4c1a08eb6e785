/** The network of the Terraform module and of the CDK template: who reaches whom, at which port. */
import { expect } from 'vitest';
import { at, type Block, isRule, type Json, type Room } from './module.ts';
import { pairs } from './pairs.ts';
import { readTemplate } from './template.ts';

const template = readTemplate();

export const network: Room = (module, check) => {
  /** The security groups by the module's names. */
  const groups = Object.fromEntries(
    pairs
      .filter(({ tf }) => tf.startsWith('aws_security_group.'))
      .map(({ tf, cfn }) => [cfn[0], tf.split('.')[1]]),
  );
  const groupOf = (value: Json): string => {
    const id = String(at(value, 'Fn::GetAtt.0'))
      .replace(/^OtaUpdater/, '')
      .replace(/[0-9A-F]{8}$/, '');
    if (at(value, 'Ref') === 'LedgerClient') return '${local.ledger_clients[count.index]}';
    return groups[id] ?? id;
  };
  const reference = (value: Json | undefined): string =>
    /^\$\{aws_security_group\.(\w+)(\[0\])?\.id\}$/.exec(String(value))?.[1] ?? String(value);

  /** `DIRECTION OF OTHER PORT, DESCRIPTION`. */
  const inModule = [...module.resources]
    .filter(([name]) => isRule.test(name))
    .map(([name, rule]) => {
      expect([rule.ip_protocol, rule.to_port]).toEqual(['tcp', rule.from_port]);
      const other = rule.cidr_ipv4 === undefined ? 'referenced_security_group_id' : 'cidr_ipv4';
      const parts = ['security_group_id', other, 'description', 'ip_protocol', 'from_port', 'to_port'];
      expect(
        Object.keys(rule)
          .filter((part) => part !== 'count')
          .toSorted(),
      ).toEqual(parts.toSorted());
      const way = name.includes('_ingress_') ? 'in' : 'out';
      return `${way} ${reference(rule.security_group_id)} ${other === 'cidr_ipv4' ? String(rule.cidr_ipv4) : reference(rule[other])} ${String(rule.from_port)}, ${String(rule.description)}`;
    });
  const inTemplate = [...template].flatMap(([id, { Type, Properties }]) => {
    const other = (rule: Block, group: string): string => {
      if (rule[group] !== undefined) return groupOf(rule[group]);
      return at(rule, 'CidrIp.Ref') === 'ConsoleFrom' ? '${var.console.from}' : String(rule.CidrIp);
    };
    if (Type === 'AWS::EC2::SecurityGroupIngress')
      return [
        `in ${groupOf(Properties.GroupId ?? null)} ${other(Properties, 'SourceSecurityGroupId')} ${String(Properties.FromPort)}, ${String(Properties.Description)}`,
      ];
    if (Type === 'AWS::EC2::SecurityGroupEgress')
      return [
        `out ${groupOf(Properties.GroupId ?? null)} ${other(Properties, 'DestinationSecurityGroupId')} ${String(Properties.FromPort)}, ${String(Properties.Description)}`,
      ];
    if (Type !== 'AWS::EC2::SecurityGroup') return [];
    const own = groups[id] ?? id;
    const rules = (name: string): readonly Block[] => (Properties[name] ?? []) as readonly Block[];
    return [
      ...rules('SecurityGroupIngress').map(
        (rule) => `in ${own} ${other(rule, '')} ${String(rule.FromPort)}, ${String(rule.Description)}`,
      ),
      ...rules('SecurityGroupEgress')
        // CDK's word for no way out; Terraform's groups have none.
        .filter((rule) => rule.Description !== 'Disallow all traffic')
        .map((rule) => `out ${own} ${other(rule, '')} ${String(rule.FromPort)}, ${String(rule.Description)}`),
    ];
  });

  check('the network lets through the same', () => {
    expect(inModule.toSorted()).toEqual(inTemplate.toSorted());
  });
};
