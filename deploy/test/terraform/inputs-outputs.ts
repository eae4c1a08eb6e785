/** What goes into the module, what comes out of it, and what is worked out between: versions, variables, locals, outputs. */
import { expect } from 'vitest';
import { ofModule, ofTemplate } from './compare.ts';
import { at, type Block, expression, type Json, type Module, type Room } from './module.ts';
import { outputs, parameters, readTemplate } from './template.ts';

const template = readTemplate();

/** Types, and defaults where there are some. The template has parameters, which are texts and numbers, and fixed choices. */
const variables: Readonly<Record<string, readonly [type: string, initial?: Json]>> = {
  name: ['string', 'ota-updater'],
  vpc_id: ['string'],
  subnet_ids: ['list(string)'],
  assign_public_ip: ['bool', false],
  image: ['string'],
  image_repository_arn: ['string'],
  arm64: ['bool', false],
  settings: ['map(string)', {}],
  workers: ['number', 1],
  fifo: ['bool', false],
  kms_key_arn: ['string', null],
  people: ['list(string)', []],
  report_bucket: ['string', null],
  notify_topic_arn: ['string', null],
  notify_event_bus: ['string', null],
  alarm_topic_arn: ['string', null],
  too_old_seconds: ['number', 900],
  valkey: ['bool', false],
  ledger: [
    'object({ certificates = optional(string) client_security_group_ids = optional(list(string), []) })',
    null,
  ],
  console: [
    'object({ host_name = string certificate_arn = string public_subnet_ids = list(string) vpc_cidr = string from = optional(string, "0.0.0.0/0") operators = optional(list(string), []) tokens_secret_arn = optional(string) oidc = optional(object({ issuer = string authorization_endpoint = string token_endpoint = string user_info_endpoint = string client_id = string client_secret = string })) })',
    null,
  ],
};

/** With PostgreSQL and without its authority's certificates, as the template is. */
function ledgerUrl({ locals }: Module): string {
  const url = /^local\.ledger \? "(.*)" : null$/.exec(expression(locals.ledger_url))?.[1] ?? '';
  const [, plain = '', checked] =
    /^try\(var\.ledger\.certificates, null\) == null \? "([^"]*)" : "([^"]*)"$/.exec(
      expression(locals.ledger_tls),
    ) ?? [];
  expect(checked).toBe('sslmode=verify-full&sslrootcert=${var.ledger.certificates}');
  return ofModule(url.replace('${local.ledger_tls}', plain));
}

export const inputsAndOutputs: Room = (module, check) => {
  check('variables have these types and defaults', () => {
    const seen = [...module.variables].map(([name, { type = null, default: initial }]) => {
      const text = expression(String(type).replace(/#[^\n]*/g, ''));
      return [name, initial === undefined ? [text] : [text, initial]];
    });
    expect(Object.fromEntries(seen)).toEqual(variables);
    for (const [name, block] of module.variables) {
      const more = name === 'console' ? ['default', 'sensitive', 'validation'] : ['default'];
      expect(['description', 'type', ...more], name).toEqual(expect.arrayContaining(Object.keys(block)));
    }
  });

  check('defaults are those of the template, where it has the parameter or the value', () => {
    const initial = (name: string): Json | undefined => module.variables.get(name)?.default;
    expect(initial('workers')).toBe(parameters.Workers?.Default);
    expect(initial('too_old_seconds')).toBe(template.get('AlarmsOldestUpdate')?.Properties.Threshold);
    const cpu = template.get('WorkerTask')?.Properties.RuntimePlatform;
    expect(initial('arm64')).toBe(at(cpu, 'CpuArchitecture') === 'ARM64');
    expect(template.get('QueuesUpdates')?.Properties.QueueName).toBe(`${String(initial('name'))}-updates`);
    expect(expression(module.variables.get('console')?.type)).toContain(
      `from = optional(string, ${JSON.stringify(parameters.ConsoleFrom?.Default)})`,
    );
  });

  check('a console without a way to sign in is refused', () => {
    const { sensitive, validation } = module.variables.get('console') ?? {};
    expect([sensitive, at(validation, '1'), expression(at(validation, '0.condition'))]).toEqual([
      false,
      undefined,
      'var.console == null || try(var.console.oidc, null) != null || try(var.console.tokens_secret_arn, null) != null',
    ]);
    expect(at(validation, '0')).toEqual({
      condition: at(validation, '0.condition'),
      error_message: 'Nobody could sign in to the console: give it oidc or tokens_secret_arn.',
    });
  });

  check('where it runs, and parts of ARNs', () => {
    const { account, partition, region, key_id, notify_topic, suffix } = module.locals;
    expect([account, partition, region, key_id, notify_topic, suffix].map(expression)).toEqual([
      'data.aws_caller_identity.this.account_id',
      'data.aws_partition.this.partition',
      'data.aws_region.this.name',
      'try(split("/", var.kms_key_arn)[1], null)',
      'try(element(split(":", var.notify_topic_arn), 5), null)',
      'var.fifo ? ".fifo" : ""',
    ]);
  });

  check('the ledger is reached as in the template', () => {
    const settings = at(template.get('ConsoleServiceTask')?.Properties, 'ContainerDefinitions.0.Environment');
    const theirs = (settings as readonly Block[]).find(({ Name }) => Name === 'LEDGER_URL')?.Value;
    expect(ledgerUrl(module)).toBe(ofTemplate(theirs ?? null));
  });

  check('outputs are those of the template', () => {
    /** With everything that can be chosen. */
    const value = (text: string): string => {
      if (text === 'local.ledger_url') return ledgerUrl(module);
      const [, all, attribute] = /^one\(([\w.]+)\[\*\]\.(\w+)\)$/.exec(text) ?? [];
      if (all !== undefined) return `{${all}.${attribute}}`;
      const [, each, inside] = /^one\(\[for each in ([\w.]+) : "(.*)"\]\)$/.exec(text) ?? [];
      return inside === undefined ? `{${text}}` : ofModule(inside.replace('${each.', `\${${each}.`));
    };
    const mine = [...module.outputs].map(([name, { value: own, ...rest }]) => {
      expect(rest, name).toEqual({});
      return [name, value(expression(own))];
    });
    const theirs = Object.entries(outputs).map(([name, of]) => [
      name.replace(/\B[A-Z]/g, '_$&').toLowerCase(),
      ofTemplate(of),
    ]);
    expect(Object.fromEntries(mine)).toEqual(Object.fromEntries(theirs));
  });

  check('versions', () => {
    expect(module.terraform).toEqual({
      required_version: '>= 1.5',
      required_providers: [
        {
          aws: { source: 'hashicorp/aws', version: '>= 5.80' },
          random: { source: 'hashicorp/random', version: '>= 3.6' },
        },
      ],
    });
  });
};
