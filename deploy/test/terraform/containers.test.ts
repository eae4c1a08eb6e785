/** Containers of the Terraform module and of the CDK template: the same settings, the same rights. */
import { describe, expect, test } from 'vitest';
import { at, type Block, isList, type Json, readModule } from './module.ts';
import { readTemplate } from './template.ts';

const module = await readModule();
const template = readTemplate();

describe('containers', () => {
  const textOf = (value: Json): string | undefined =>
    typeof value === 'string' && !value.includes('${') ? value : undefined;

  test.each([
    [
      'worker',
      'WorkerTask',
      ['queue_environment', 'worker_environment', 'worker_environment_with_console'],
      ['worker_secrets_with_valkey'],
      ['RATE_LIMIT'],
    ],
    [
      'console',
      'ConsoleServiceTask',
      ['queue_environment', 'console_environment', 'console_environment_with_oidc'],
      ['console_secrets'],
      [],
    ],
  ] as const)('%s: settings and secrets', (_name, id, maps, secretMaps, passedIn) => {
    const container = at(template.get(id)?.Properties, 'ContainerDefinitions.0') as Block;
    const environment = container.Environment as readonly { readonly Name: string; readonly Value: Json }[];
    const own: Block = Object.assign({}, ...maps.map((name) => module.locals[name]));
    expect(Object.keys(own).toSorted()).toEqual(
      environment
        .map(({ Name }) => Name)
        .filter((name) => !(passedIn as readonly string[]).includes(name))
        .toSorted(),
    );
    for (const { Name, Value } of environment)
      if (textOf(own[Name] ?? null) !== undefined) expect(own[Name], Name).toBe(Value);
    const secrets = (container.Secrets ?? []) as readonly { readonly Name: string }[];
    expect(secretMaps.flatMap((name) => Object.keys(module.locals[name] ?? {}))).toEqual(
      secrets.map(({ Name }) => Name),
    );
  });

  test.each([
    ['worker', 'WorkerTask'],
    ['console', 'ConsoleServiceTask'],
  ])('%s: what it may do, and how it is watched', (name, id) => {
    const properties = template.get(id)?.Properties ?? {};
    const container = at(properties, 'ContainerDefinitions.0') as Block;
    const own = { ...(module.locals.container as Block), ...(module.locals[`${name}_container`] as Block) };
    const lower = (value: Json): Json => {
      if (isList(value)) return value.map(lower);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, inside]) => [
          key.charAt(0).toLowerCase() + key.slice(1),
          lower(inside),
        ]),
      );
    };
    for (const part of [
      'Command',
      'HealthCheck',
      'LinuxParameters',
      'ReadonlyRootFilesystem',
      'StopTimeout',
      'User',
      'Essential',
      'Name',
      'MountPoints',
    ])
      expect(own[part.charAt(0).toLowerCase() + part.slice(1)], part).toEqual(
        container[part] === undefined ? undefined : lower(container[part]),
      );
    const port = JSON.stringify(own.portMappings).match(/containerPort\D+(\d+)/)?.[1];
    expect(port).toBe(String(at(container, 'PortMappings.0.ContainerPort')));
  });
});
