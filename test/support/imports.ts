/** The direction of imports (design section 4) as data, and the check of files against it. PURE. */
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
  /** Gone at run time: `import type` or `export type`. */
  readonly typeOnly: boolean;
}

/** Leaves that any layer may use but `message`. */
const shared = ['clock', 'open-call', 'sdk-client'] as const;

/**
 * What each layer may import besides its own files; `name:type` allows types only. A layer is a folder of `src/`,
 * or a file there by its name.
 */
export const arrows: Readonly<Record<string, readonly string[]>> = {
  main: ['commands', 'config', 'v8-flags', ...shared],
  commands: [
    'worker',
    'jobs',
    'dead-letters',
    'http',
    'sandbox',
    'enqueue',
    'check',
    'observe',
    'ota',
    'queue',
    'message',
    'config',
    'request-handler',
    ...shared,
  ],
  http: ['observe', 'worker', ...shared],
  observe: ['worker:type', 'message', ...shared],
  jobs: ['enqueue', 'dead-letters', 'check', 'ota', 'queue', 'message', ...shared],
  'dead-letters': ['queue', 'message', ...shared],
  enqueue: ['queue', 'message', ...shared],
  check: ['queue', 'message', 'config', ...shared],
  worker: ['ota', 'queue', 'message', 'config:type', ...shared],
  sandbox: ['queue', 'message', ...shared],
  ota: ['message', ...shared],
  queue: ['message', ...shared],
  message: [],
  config: [],
  clock: [],
  'open-call': [],
  'request-handler': [],
  'sdk-client': [],
  'v8-flags': [],
};

/** Packages that one place alone knows. */
export const owners: Readonly<Record<string, RegExp>> = {
  bottleneck: /^src\/ota\/limiter[^/]*\.ts$/,
  'p-retry': /^src\/ota\/retry\.ts$/,
  '@aws-sdk/client-sqs': /^src\/queue\//,
  '@aws-sdk/client-iot-managed-integrations': /^src\/ota\//,
  '@smithy/undici-http-handler': /^src\/request-handler\.ts$/,
  'to-fast-properties': /^src\/sdk-client\.ts$/,
  ioredis: /^src\/ota\//,
  fauxqs: /^src\/sandbox\//,
};

/** Every import of `files` that breaks a rule, as `path: what is wrong`. */
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
  if (layer === 'message' && isBuiltin(specifier)) return `message is pure and must not import ${specifier}`;
  const owned = Object.entries(owners).find(
    ([name]) => specifier === name || specifier.startsWith(`${name}/`),
  );
  if (owned === undefined || owned[1].test(path)) return undefined;
  return `must not import ${specifier}, which belongs to ${owned[1].source}`;
}

/** `src/queue/client.ts` is of `queue`, `src/config.ts` of `config`. */
function layerOf(path: string): string | undefined {
  return /^src\/([^/]+?)(?:\.ts$|\/)/.exec(path)?.[1];
}

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
