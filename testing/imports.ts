/** The direction of imports (ARCHITECTURE.md, Rooms and arrows) as data, and the check of files against it. PURE. */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';

/** A file by its path from the project's root, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface ImportedModule {
  /** undefined: a dynamic import of something other than a literal. */
  readonly specifier: string | undefined;
  /** Removed at run time: `import type` or `export type`. */
  readonly typeOnly: boolean;
}

/**
 * What each room may import in addition to its own files; `name:type` allows types only. A room is a folder of `src/`, or
 * a file there by its name. The commands of a room (`command.ts`, `commands/`) are a separate room, `NAME/command`, and
 * so is a file that has its own row here by path.
 */
const arrows: Readonly<Record<string, readonly string[]>> = {
  main: ['cli', 'commands', 'process'],
  process: ['cli', 'errors', 'program', 'text', 'version'],
  program: [
    'check/command',
    'cli',
    'commands',
    'configs/command',
    'console/command',
    'dead-letters/command',
    'enqueue/command',
    'errors',
    'jobs/command',
    'limits/command',
    'sandbox/command',
    'status/command',
    'text',
    'trace/command',
    'version',
  ],
  commands: [
    'aws',
    'cli',
    'config',
    'errors',
    'http',
    'limits',
    'message',
    'observe',
    'ota',
    'queue',
    'telemetry',
    'text',
    'time',
    'worker',
  ],
  'check/command': ['check', 'cli:type', 'config', 'errors', 'text'],
  'configs/command': ['cli', 'config', 'configs', 'errors', 'message', 'ota', 'text'],
  'dead-letters/command': ['cli', 'dead-letters', 'dead-letters/desk', 'errors', 'files', 'message', 'text'],
  'dead-letters/desk': [
    'config',
    'dead-letters',
    'errors',
    'input',
    'message',
    'queue',
    'telemetry',
    'text',
    'time:type',
  ],
  'enqueue/command': [
    'cli',
    'config',
    'enqueue',
    'errors',
    'input:type',
    'jobs',
    'message',
    'queue',
    'sending',
    'text',
  ],
  'jobs/command': [
    'check',
    'cli',
    'config',
    'errors',
    'files',
    'jobs',
    'notices',
    'observe',
    'ota',
    'queue',
    'text',
    'time',
    'version',
  ],
  'limits/command': ['cli', 'config', 'errors', 'limits', 'ota'],
  'sandbox/command': [
    'cli',
    'commands',
    'config',
    'console',
    'console/command',
    'enqueue',
    'errors',
    'files',
    'observe',
    'queue',
    'sandbox',
    'text',
    'worker:type',
  ],
  'status/command': [
    'cli',
    'config',
    'dead-letters',
    'dead-letters/command',
    'errors',
    'status',
    'status/ask',
    'text',
  ],
  'status/ask': ['config', 'errors', 'queue', 'status', 'text', 'time:type'],
  'console/command': [
    'cli',
    'config',
    'console',
    'dead-letters/desk',
    'errors',
    'files',
    'input',
    'jobs',
    'jobs/command',
    'ota',
    'status',
    'status/ask',
    'text',
    'time',
    'trace',
    'trace/command',
    'version',
  ],
  'trace/command': [
    'cli',
    'config',
    'dead-letters',
    'dead-letters/command',
    'errors',
    'files',
    'jobs',
    'message',
    'ota',
    'text',
    'trace',
  ],
  cli: ['config:type', 'errors', 'input', 'message', 'text', 'time'],
  http: ['observe', 'status', 'worker:type'],
  observe: ['limits', 'message', 'text', 'version', 'worker:type'],
  jobs: [
    'aws',
    'aws/errors',
    'configs',
    'errors',
    'files',
    'input',
    'message',
    'notices:type',
    'ota:type',
    'queue',
    'sending',
    'text',
    'time',
  ],
  configs: ['ota:type', 'text'],
  'dead-letters': ['files', 'message', 'queue', 'text', 'time'],
  enqueue: ['errors', 'input', 'message:type', 'queue', 'sending', 'text', 'time:type'],
  check: ['aws', 'aws/errors', 'config', 'errors', 'jobs', 'message:type', 'ota', 'queue', 'text', 'time'],
  console: [
    'config',
    'dead-letters',
    'dead-letters/desk',
    'errors',
    'files',
    'http',
    'jobs',
    'message',
    'status',
    'text',
    'time:type',
    'trace',
  ],
  status: ['message', 'observe', 'text', 'time', 'version', 'worker:type'],
  trace: ['dead-letters:type', 'input', 'jobs', 'message', 'ota:type', 'text'],
  telemetry: [
    'config',
    'dead-letters:type',
    'message',
    'ota:type',
    'queue:type',
    'text',
    'time:type',
    'version',
    'worker:type',
  ],
  worker: ['config:type', 'limits:type', 'message', 'ota', 'queue', 'text', 'time'],
  limits: ['config', 'files', 'ota', 'text', 'time'],
  sandbox: ['http', 'queue'],
  sending: ['errors', 'message', 'message:type', 'queue', 'time'],
  input: ['errors', 'files', 'message', 'text'],
  ota: ['aws', 'files', 'message', 'text', 'time'],
  queue: ['aws', 'aws/errors', 'message:type', 'text', 'time'],
  message: ['aws/errors', 'text', 'time'],
  aws: ['aws/errors', 'text', 'time'],
  'aws/errors': [],
  notices: ['aws', 'aws/errors', 'errors', 'text', 'time'],
  config: ['aws', 'errors', 'notices'],
  errors: [],
  files: ['errors', 'text'],
  version: [],
  text: [],
  time: [],
};

/** Rooms without their own I/O: they import no Node modules. */
const PURE_ROOMS: ReadonlySet<string> = new Set(['message', 'aws/errors']);

/**
 * What each folder outside `src/` may import in addition to its own files and those in the project's root: all build on
 * `testing/`, none on another.
 */
const grounds: Readonly<Record<string, readonly string[]>> = {
  testing: ['src', 'packages'],
  test: ['src', 'testing'],
  chaos: ['src', 'testing'],
  scripts: ['src', 'testing'],
  bench: ['src', 'testing', 'packages'],
};

/** Every import of `files` outside `src/` that the table does not allow, as `path: reason`. */
export function sidewaysImports(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const own = path.split('/')[0] ?? '';
    const ground = grounds[own];
    if (ground === undefined) return [`${path}: belongs to no known folder`];
    return importsOf(text).flatMap(({ specifier }) => {
      if (!specifier?.startsWith('.')) return [];
      const [folder = '', ...rest] = posix.join(posix.dirname(path), specifier).split('/');
      if (rest.length === 0 || folder === own || ground.includes(folder)) return [];
      return [`${path}: ${own} must not import ${folder} (${specifier})`];
    });
  });
}

/** Packages that only one place may import. */
const owners: Readonly<Record<string, RegExp>> = {
  bottleneck: /^src\/ota\/rate\/limiter\.ts$/,
  'p-retry': /^src\/ota\/retry\.ts$/,
  '@aws-sdk/client-sqs': /^src\/queue\//,
  '@aws-sdk/client-iot-managed-integrations': /^src\/ota\//,
  '@smithy/undici-http-handler': /^src\/aws\/request-handler\.ts$/,
  'to-fast-properties': /^src\/aws\/sdk-client\.ts$/,
  '@aws-sdk/client-s3': /^src\/jobs\/file-report\/s3\.ts$/,
  '@aws-sdk/lib-storage': /^src\/jobs\/file-report\/s3\.ts$/,
  '@aws-sdk/client-sns': /^src\/notices\/targets\/sns\.ts$/,
  '@aws-sdk/client-eventbridge': /^src\/notices\/targets\/event-bridge\.ts$/,
  ioredis: /^src\/ota\//,
  'node:sqlite': /^src\/jobs\/(?:ledger\/sqlite\/|plan\/staging\.ts$)/,
  pg: /^src\/jobs\/ledger\/postgres\/database\.ts$/,
  '@remix-run/html-template': /^src\/console\/pages\/html\.ts$/,
  '@opentelemetry': /^src\/telemetry\//,
  fauxqs: /^src\/sandbox\//,
};

/** Every import of `files` that breaks a rule, as `path: reason`. */
export function importViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const layer = layerOf(path);
    if (layer === undefined || !Object.hasOwn(arrows, layer)) return [`${path}: belongs to no known layer`];
    return importsOf(text).flatMap((imported) => {
      const fault = faultOf(path, layer, imported);
      return fault === undefined ? [] : [`${path}: ${fault}`];
    });
  });
}

/** Arrows of the table that no file of `files` uses, as `from -> to`. */
export function unusedArrows(files: readonly SourceFile[]): string[] {
  const used = new Set(
    files.flatMap(({ path, text }) =>
      importsOf(text).map(({ specifier, typeOnly }) => {
        const target = specifier?.startsWith('.')
          ? layerOf(posix.join(posix.dirname(path), specifier))
          : undefined;
        return `${layerOf(path)} -> ${target}${typeOnly ? ':type' : ''}`;
      }),
    ),
  );
  return Object.entries(arrows)
    .flatMap(([from, targets]) => targets.map((to) => `${from} -> ${to}`))
    .filter((arrow) => !used.has(arrow));
}

function faultOf(path: string, layer: string, { specifier, typeOnly }: ImportedModule): string | undefined {
  if (specifier === undefined) return 'imports what is not a literal';
  if (!specifier.startsWith('.')) return packageFault(path, layer, specifier);
  const target = posix.join(posix.dirname(path), specifier);
  if (target === 'package.json') return undefined;
  const other = layerOf(target);
  if (other === undefined) return `imports ${specifier}, which is outside src/`;
  if (other === layer) return undefined;
  const allowed = arrows[layer] ?? [];
  if (allowed.includes(other)) return undefined;
  if (!allowed.includes(`${other}:type`)) return `${layer} must not import ${other} (${specifier})`;
  return typeOnly ? undefined : `${layer} may import only types of ${other} (${specifier})`;
}

function packageFault(path: string, layer: string, specifier: string): string | undefined {
  if (PURE_ROOMS.has(layer) && isBuiltin(specifier))
    return `${layer} is pure and must not import ${specifier}`;
  const owned = Object.entries(owners).find(
    ([name]) => specifier === name || specifier.startsWith(`${name}/`),
  );
  if (owned === undefined || owned[1].test(path)) return undefined;
  return `must not import ${specifier}, which belongs to ${owned[1].source}`;
}

/** `src/queue/client.ts` belongs to `queue`, `src/config.ts` to `config`, `src/check/command.ts` to `check/command`. */
function layerOf(path: string): string | undefined {
  const [, room, inner] = /^src\/([^/]+?)(?:\.ts$|\/([^/]+?)(?:\.ts$|\/))/.exec(path) ?? [];
  if (inner === undefined) return room;
  if (COMMAND_PLACES.has(inner)) return `${room}/command`;
  return Object.hasOwn(arrows, `${room}/${inner}`) ? `${room}/${inner}` : room;
}

/** Where a room keeps its commands. */
const COMMAND_PLACES: ReadonlySet<string> = new Set(['command', 'commands']);

const COMMENT_OR_TEXT =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g;
const STATIC =
  /(?<=^|;)[ \t]*(?:import|export)\b(?<clause>[^'"`;=()]*?)\bfrom\s*(?<quote>['"])(?<specifier>[^'"\n]+)\k<quote>/gm;
const FOR_EFFECT = /(?<=^|;)[ \t]*import\s*(?<quote>['"])(?<specifier>[^'"\n]+)\k<quote>/gm;
const DYNAMIC = /(?<![.\w$])import\s*\(\s*(?:(?<quote>['"`])(?<specifier>[^'"`$\n]+)\k<quote>\s*[,)])?/g;

/** What a module imports, statically, for effect and dynamically. */
export function importsOf(text: string): ImportedModule[] {
  const code = text.replace(COMMENT_OR_TEXT, (found) => (/^\/[/*]/.test(found) ? ' ' : found));
  return [...code.matchAll(STATIC), ...code.matchAll(FOR_EFFECT), ...code.matchAll(DYNAMIC)].map(
    ({ groups }) => ({
      specifier: groups?.specifier,
      typeOnly: /^\s+type(?:\s+[\w$*{]|\{)/.test(groups?.clause ?? ''),
    }),
  );
}
