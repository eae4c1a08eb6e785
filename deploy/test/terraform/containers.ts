/** Containers of the Terraform module and of the CDK template: the same settings, the same rights. */
import { expect } from 'vitest';
import { ofModule, ofTemplate } from './compare.ts';
import { at, type Block, isList, type Json, type Room } from './module.ts';
import { readTemplate } from './template.ts';

const template = readTemplate();

export const containers: Room = (module, check) => {
  const textOf = (value: Json): string | undefined =>
    typeof value === 'string' && !value.includes('${') ? value : undefined;

  for (const [name, id, maps, secretMaps, passedIn] of [
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
  ] as const)
    check(`${name}: settings and secrets`, () => {
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

  for (const [name, id] of [
    ['worker', 'WorkerTask'],
    ['console', 'ConsoleServiceTask'],
  ] as const)
    check(`${name}: what it may do, and how it is watched`, () => {
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
      const ports =
        typeof own.portMappings === 'string'
          ? Array.from(own.portMappings.matchAll(/containerPort = (\d+), protocol = "(\w+)"/g), (found) => ({
              containerPort: Number(found[1]),
              protocol: String(found[2]),
            }))
          : own.portMappings;
      expect(ports).toEqual(lower(container.PortMappings ?? null));
      // The template puts it together of a repository and a tag.
      expect(own.image).toBe('${var.image}');
      expect(at(container.Image, 'Fn::Join.1')).toContainEqual({ Ref: 'ImageTag' });
      const log = (value: Json | undefined, text: (of: Json) => string): Block =>
        Object.fromEntries(
          Object.entries(value ?? {}).map(([key, inside]) => [
            key.toLowerCase(),
            typeof inside === 'object' && inside !== null && !('Ref' in inside)
              ? log(inside as Block, text)
              : text(inside as Json).replace(/^\{try\((\S+)\[0\](\S+), null\)\}$/, '{$1$2}'),
          ]),
        );
      expect(log(own.logConfiguration, ofModule)).toEqual(log(container.LogConfiguration, ofTemplate));
      const parts = Object.keys(container).map((part) => part.charAt(0).toLowerCase() + part.slice(1));
      expect(Object.keys(own)).toEqual(expect.arrayContaining(parts));
      const choices = ['secrets'];
      expect([...parts, ...choices]).toEqual(expect.arrayContaining(Object.keys(own)));
    });
};
