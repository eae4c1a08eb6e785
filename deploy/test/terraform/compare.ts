/**
 * One resource of the module beside those of the template, in full: each value of either stands in the other, or is said to be compared
 * elsewhere. References are compared by what they refer to.
 */
import { type Block, encoded, isList, type Json } from './module.ts';
import { type Pair, pairs } from './pairs.ts';
import { isReference, type Resource, shortId } from './template.ts';

/** What a parameter of the templates is in the module. */
const parameters: Readonly<Record<string, string>> = {
  'AWS::Region': 'local.region',
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
  'aws_secretsmanager_secret.ledger.arn': 'random_password.ledger.result',
  'aws_secretsmanager_secret.valkey_token.arn': 'random_password.valkey.result',
};
/** What `Ref` and the attributes of the template's resources are, by the module's type. */
const attributes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  aws_cloudwatch_log_group: { Ref: 'name', Arn: 'arn' },
  aws_db_instance: { 'Endpoint.Address': 'address' },
  aws_db_subnet_group: { Ref: 'name' },
  aws_ecs_cluster: { Ref: 'id' },
  aws_ecs_task_definition: { Ref: 'arn' },
  aws_efs_access_point: { Ref: 'id' },
  aws_efs_file_system: { Ref: 'id' },
  aws_elasticache_replication_group: { 'PrimaryEndPoint.Address': 'primary_endpoint_address' },
  aws_elasticache_subnet_group: { Ref: 'name' },
  aws_iam_role: { Arn: 'arn' },
  aws_lb: { Ref: 'arn', DNSName: 'dns_name' },
  aws_lb_target_group: { Ref: 'arn' },
  aws_secretsmanager_secret: { Ref: 'arn' },
  aws_security_group: { GroupId: 'id' },
  aws_service_discovery_private_dns_namespace: { Id: 'id' },
  aws_service_discovery_service: { Arn: 'arn' },
  aws_sqs_queue: { Ref: 'url', Arn: 'arn', QueueName: 'name' },
};
/** What an expression of the module is with the defaults of its variables, which are compared by themselves, as is each `for_each`. */
const defaults: Readonly<Record<string, string>> = {
  'var.name': 'ota-updater',
  'local.suffix': '',
  'var.too_old_seconds': '900',
  'var.arm64 ? "ARM64" : "X86_64"': 'X86_64',
  'service_registries.value': '{aws_service_discovery_service.worker.arn}',
};
/** How many there are, and in which order they are made; names that begin as all do, where CloudFormation gives names by itself. */
const META =
  /^(count|for_each|depends_on(\..*)?|dynamic\..*\.for_each|name_prefix|identifier_prefix|family|replication_group_id|final_snapshot_identifier)$/;

// The first pair of an id: a secret, and not its version.
const named = new Map(pairs.toReversed().flatMap(({ tf, cfn }) => cfn.map((id) => [id, tf] as const)));

/** Every value with its path; a reference of the template is one. */
function leaves(value: Json, path = ''): (readonly [path: string, value: Json])[] {
  if (typeof value === 'string') {
    const inside = encoded(value);
    return inside === undefined ? [[path, value]] : leaves(inside, path);
  }
  if (typeof value !== 'object' || value === null) return [[path, value]];
  if (!isList(value) && isReference(Object.keys(value))) return [[path, value]];
  return Object.entries(value).flatMap(([name, inside]) =>
    leaves(inside, path === '' ? name : `${path}.${name}`),
  );
}

/** A value of the template, with what it refers to in braces, by the module's name. */
export function ofTemplate(value: Json): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const [[name, of] = ['', null]] = Object.entries(value);
  if (name === 'Ref') return referredTo(String(of), 'Ref');
  if (name === 'Fn::GetAtt' && isList(of)) return referredTo(String(of[0]), String(of[1]));
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

function referredTo(id: string, attribute: string): string {
  const parameter = parameters[id];
  if (parameter !== undefined) return `{${parameter}}`;
  const name = named.get(shortId(id));
  if (name === undefined) throw new Error(`a reference to ${id}, which has no name in the module`);
  const own = attributes[name.replace(/\..*/, '')]?.[attribute];
  if (own === undefined) throw new Error(`${attribute} of ${name}, which has no name in the module`);
  return `{${name}.${own}}`;
}

/** A value of the module, likewise. */
export function ofModule(value: Json): string {
  return String(value).replace(/\$\{([^{}]*)\}/g, (_, found: string) => {
    const expression = found.trim().replace(/\s+/g, ' ').replace('[count.index]', '');
    return (
      defaults[expression] ?? `{${expression.replace(/^((?:aws_\w+|random_password)\.\w+)\[0\]/, '$1')}}`
    );
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
