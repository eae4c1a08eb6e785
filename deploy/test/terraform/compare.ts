/**
 * One resource of the module beside those of the template, in full: each value of either stands in the other, or is said to be compared
 * elsewhere. References are compared by what they refer to.
 */
import { type Block, isList, type Json } from './module.ts';
import { type Pair, pairs } from './pairs.ts';
import { isReference, type Resource, shortId } from './template.ts';

/** What a parameter of the templates is in the module. */
const parameters: Readonly<Record<string, string>> = {
  AssignPublicIp: 'var.assign_public_ip',
  CertificateArn: 'var.console.certificate_arn',
  ConsoleFrom: 'var.console.from',
  KeyArn: 'var.kms_key_arn',
  LedgerClient: 'local.ledger_clients',
  OidcAuthorizationEndpoint: 'var.console.oidc.authorization_endpoint',
  OidcClientArn: 'var.console.oidc.client_secret',
  OidcClientId: 'var.console.oidc.client_id',
  OidcIssuer: 'var.console.oidc.issuer',
  OidcTokenEndpoint: 'var.console.oidc.token_endpoint',
  OidcUserInfoEndpoint: 'var.console.oidc.user_info_endpoint',
  PublicSubnetA: 'var.console.public_subnet_ids',
  PublicSubnetB: 'var.console.public_subnet_ids',
  SubnetA: 'var.subnet_ids',
  SubnetB: 'var.subnet_ids',
  AlarmTopicArn: 'local.told',
  Vpc: 'var.vpc_id',
  Workers: 'var.workers',
};
/** Passwords that the template has Secrets Manager make. */
const passwords: Readonly<Record<string, string>> = {
  'aws_secretsmanager_secret.ledger': 'random_password.ledger',
  'aws_secretsmanager_secret.valkey_token': 'random_password.valkey',
};
/** What an expression of the module is with the defaults of its variables; each dynamic block's `for_each` has a test of its own. */
const defaults: Readonly<Record<string, string>> = {
  'var.name': 'ota-updater',
  'local.suffix': '',
  'var.too_old_seconds': '900',
  'var.arm64 ? "ARM64" : "X86_64"': 'X86_64',
  'service_registries.value': '{aws_service_discovery_service.worker}',
};
/** How many there are, and in which order they are made; names that begin as all do, where CloudFormation gives names by itself. */
const META =
  /^(count|for_each|depends_on(\..*)?|dynamic\..*\.for_each|name_prefix|identifier_prefix|family|replication_group_id|final_snapshot_identifier)$/;

const named = new Map(pairs.flatMap(({ tf, cfn }) => cfn.map((id) => [id, tf] as const)));

/** Every value with its path; a reference of the template is one. */
function leaves(value: Json, path = ''): (readonly [path: string, value: Json])[] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  if (!isList(value) && isReference(Object.keys(value))) return [[path, value]];
  return Object.entries(value).flatMap(([name, inside]) =>
    leaves(inside, path === '' ? name : `${path}.${name}`),
  );
}

/** A value of the template, with what it refers to in braces, by the module's name. */
function ofTemplate(value: Json): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const [[name, of] = ['', null]] = Object.entries(value);
  if (name === 'Ref') return referredTo(String(of));
  if (name === 'Fn::GetAtt' && isList(of)) return referredTo(String(of[0]));
  if (name === 'Fn::Join' && isList(of))
    return (of[1] as readonly Json[])
      .map(ofTemplate)
      .join('')
      .replace(
        /\{\{resolve:secretsmanager:\{([\w.]+)\}:SecretString:\w*::\}\}/g,
        (_, secret) => `{${passwords[secret] ?? secret}}`,
      );
  throw new Error(`an unknown function: ${JSON.stringify(value)}`);
}

function referredTo(id: string): string {
  const name = parameters[id] ?? named.get(shortId(id));
  if (name === undefined) throw new Error(`a reference to ${id}, which has no name in the module`);
  return `{${name}}`;
}

/** A value of the module, likewise. */
function ofModule(value: Json): string {
  return String(value).replace(/\$\{([^{}]*)\}/g, (_, found: string) => {
    const expression = found.trim().replace(/\s+/g, ' ').replace('[count.index]', '');
    const resource = /^(?:aws_\w+|random_password)\.\w+/.exec(expression)?.[0];
    return defaults[expression] ?? `{${resource ?? expression}}`;
  });
}

/**
 * What differs, a line each.
 * @param resources of the template, by their short ids.
 */
export function differences(
  { tf, cfn, same = {}, other = [], own = [] }: Pair,
  block: Block,
  resources: ReadonlyMap<string, Resource>,
): string[] {
  const inModule = new Map(
    leaves(block).filter(([path]) => !META.test(path) && !own.some((pattern) => pattern.test(path))),
  );
  const mapped = new Set(Object.values(same));
  const more = [...inModule].filter(([path]) => !mapped.has(path));
  return [
    ...more.map(([path, value]) => `${tf} has ${path}, the template does not: ${String(value)}`),
    ...cfn.flatMap((id) => {
      const inTemplate = new Map(
        leaves(resources.get(id)?.Properties ?? {}).filter(
          ([path]) => !other.some((pattern) => pattern.test(path)),
        ),
      );
      return [
        ...[...inTemplate.keys()]
          .filter((path) => !(path in same))
          .map((path) => `${id} has ${path}, ${tf} does not`),
        ...Object.entries(same).flatMap(([theirs, mine]) => {
          const one = inTemplate.get(theirs);
          const two = inModule.get(mine);
          const [left, right] = [one, two].map((value) => value !== undefined);
          if (one === undefined || two === undefined) return [`${theirs} (${left}) and ${mine} (${right})`];
          const texts = [ofTemplate(one), ofModule(two)];
          return texts[0] === texts[1]
            ? []
            : [`${id} ${theirs} is ${texts[0]}, ${tf} ${mine} is ${texts[1]}`];
        }),
      ];
    }),
  ];
}

/** The module's values that are compared, by their paths. */
export function comparedPaths({ same = {} }: Pair): readonly string[] {
  return Object.values(same);
}
