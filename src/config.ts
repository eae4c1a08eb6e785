/** Configuration: turns environment variables into one frozen object (docs/reference/configuration.md). */
import { awsFaults } from './config/aws.ts';
import { type Environment, readVariable } from './config/environment.ts';
import type { Variable } from './config/variable.ts';
import { variables } from './config/variables.ts';
import { CommandError, exitCodes } from './errors.ts';

type Settings = typeof variables;

/** All settings. Names state the unit of times: milliseconds or seconds. */
export type Config = {
  readonly [Name in keyof Settings]: Settings[Name] extends Variable<infer T> ? T : never;
};

/** The settings that name queues. */
const queueSettings = ['queueUrl', 'deadLetterQueueUrl', 'outcomeQueueUrl'] as const;

/** The settings that calls to the API need. */
export const apiSettings = [
  'rateLimit',
  'rateAdaptive',
  'maxConcurrency',
  'maxAttempts',
  'retryBaseMs',
  'retryMaxMs',
  'callTimeoutMs',
] as const satisfies readonly (keyof Config)[];
export type ApiConfig = Pick<Config, (typeof apiSettings)[number]>;

export type { Environment };

/** All faults of a configuration in one message, one per line. */
export class ConfigError extends CommandError {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
    const lines = faults.map((fault) => `  ${fault}`).join('\n');
    super(`the configuration has ${count}:\n${lines}`, exitCodes.misuse);
    this.faults = faults;
  }
}

const allSettings = Object.keys(variables) as (keyof Config)[];

/**
 * Reads all settings, or only those that a command needs; faults in other variables are then ignored.
 * @param needed optional settings that this command requires.
 * @throws ConfigError naming every fault at once.
 */
export function readConfig<Name extends keyof Config = keyof Config, Needed extends keyof Config = never>(
  environment: Environment,
  names: readonly Name[] = allSettings as Name[],
  needed: readonly Needed[] = [],
): PartOfConfig<Name, Needed> {
  return read(environment, names, needed, []);
}

/**
 * Like {@link readConfig}, for a command that makes requests to AWS: also checks region, endpoints and proxies.
 * @throws ConfigError naming every fault at once.
 */
export function readConfigForAws<
  Name extends keyof Config = keyof Config,
  Needed extends keyof Config = never,
>(
  environment: Environment,
  names: readonly Name[] = allSettings as Name[],
  needed: readonly Needed[] = [],
): PartOfConfig<Name, Needed> {
  return read(environment, names, needed, awsFaults(environment));
}

/** The URLs of all queues, by variable, where set and valid. A command compares its own queue with them. */
export function readQueueUrls(environment: Environment): Readonly<Record<string, string | undefined>> {
  const urls = queueSettings.map((setting) => {
    const { name, schema } = variables[setting];
    return [name, schema.safeParse(readVariable(environment, name).text).data];
  });
  return Object.fromEntries(urls);
}

type PartOfConfig<Name extends keyof Config, Needed extends keyof Config> = Pick<Config, Name> & {
  readonly [Each in Needed]: NonNullable<Config[Each]>;
};

function read<Name extends keyof Config, Needed extends keyof Config>(
  environment: Environment,
  names: readonly Name[],
  needed: readonly Needed[],
  otherFaults: readonly string[],
): PartOfConfig<Name, Needed> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const name of new Set<keyof Config>([...names, ...needed])) {
    const { schema, fallback, ...variable }: Variable<unknown> = variables[name];
    const { text = fallback, fault } = readVariable(environment, variable.name);
    if (fault !== undefined) {
      faults.push(`${variable.name}: ${fault}`);
      continue;
    }
    if (text === undefined) {
      if (variable.required || needed.includes(name as Needed)) faults.push(`${variable.name}: is required`);
      values[name] = undefined;
      continue;
    }
    const { data, error } = schema.safeParse(text);
    if (error === undefined) values[name] = data;
    else faults.push(`${variable.name}: ${error.issues[0]?.message}${shown(variable.name, text)}`);
  }
  faults.push(...contradictions(values), ...otherFaults);
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(values) as PartOfConfig<Name, Needed>;
}

/** How a fault shows the value. Secrets are hidden, and so are URLs, which may contain a secret. */
function shown(variable: string, text: string): string {
  return /_(URL|SECRET|TOKENS)$/.test(variable) ? '' : ` (is ${JSON.stringify(text)})`;
}

/** Faults of settings that are valid on their own but contradict each other. */
function contradictions(config: Partial<Config>): string[] {
  const faults: string[] = [];
  const queues = queueSettings.flatMap((name) => {
    const url = config[name];
    return url === undefined
      ? []
      : [{ name: variables[name].name, href: new URL(url).href.replace(/\/$/, '') }];
  });
  for (const [i, first] of queues.entries()) {
    for (const second of queues.slice(i + 1)) {
      if (first.href === second.href) faults.push(`${second.name}: must differ from ${first.name}`);
    }
  }
  // An invalid variable already has a fault of its own.
  const unsigned = 'notifyWebhookSecret' in config && config.notifyWebhookSecret === undefined;
  if (config.notifyWebhookUrl !== undefined && unsigned)
    faults.push(
      `${variables.notifyWebhookSecret.name}: is required with ${variables.notifyWebhookUrl.name}, because requests are signed with it`,
    );
  if (
    (config.consoleIdentityHeader !== undefined || config.consoleIdentityAlbArn !== undefined) &&
    'consoleTrustedProxies' in config &&
    config.consoleTrustedProxies === undefined
  )
    faults.push(
      `${variables.consoleTrustedProxies.name}: is required with ${variables.consoleIdentityHeader.name} and ${variables.consoleIdentityAlbArn.name}: otherwise anybody could send such a header`,
    );
  if (config.consoleIdentityHeader !== undefined && config.consoleIdentityAlbArn !== undefined)
    faults.push(
      `${variables.consoleIdentityHeader.name}: must not be set with ${variables.consoleIdentityAlbArn.name}: then no header is trusted`,
    );
  const { retryBaseMs = 0, retryMaxMs = Number.POSITIVE_INFINITY } = config;
  if (retryBaseMs > retryMaxMs) faults.push('RETRY_BASE_MS: must not be above RETRY_MAX_MS');
  return faults;
}

export interface VariableDescription {
  readonly name: string;
  /** `none` if there is no default. */
  readonly fallback: string;
  /** For example `a whole number from 1 to 100`. */
  readonly accepts: string;
  readonly doc: string;
}

/** Every variable, for docs/reference/configuration.md. */
export function describeConfig(): VariableDescription[] {
  return Object.values<Variable<unknown>>(variables).map(({ name, schema, fallback = 'none', doc }) => {
    // No variable accepts a lone space, so its error message says what is accepted.
    const refusal = schema.safeParse(' ').error?.issues[0]?.message ?? '';
    return { name, fallback, accepts: refusal.replace(/^must (be |name )?/, ''), doc };
  });
}
