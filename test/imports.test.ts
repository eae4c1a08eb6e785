import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  importsOf,
  importViolations,
  type SourceFile,
  sidewaysImports,
  unusedArrows,
} from '../testing/imports.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

function filesOf(...patterns: readonly string[]): SourceFile[] {
  return globSync([...patterns], { cwd: root, exclude: ['**/node_modules/**'] }).map((path) => ({
    path: path.replaceAll('\\', '/'),
    text: readFileSync(`${root}/${path}`, 'utf8'),
  }));
}

describe('tests, chaos, scripts and bench', () => {
  // This file quotes imports.
  const files = filesOf('{testing,test,chaos,scripts,bench}/**/*.ts').filter(
    ({ path }) => path !== 'test/imports.test.ts',
  );

  test('stand on testing/ and import nothing of each other', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(sidewaysImports(files)).toEqual([]);
  });

  test.each([
    ['test to scripts', 'test/e2e/x.test.ts', `import { a } from '../../scripts/a.ts';`],
    ['chaos to test', 'chaos/harness/x.ts', `import type { A } from '../../test/a.ts';`],
    ['bench to chaos', 'bench/x.ts', `const a = await import('../chaos/a.ts');`],
    ['testing to test', 'testing/x.ts', `export { a } from '../test/a.ts';`],
    ['a file of no known folder', 'tools/x.ts', ''],
  ])('are reported: %s', (_, path, text) => {
    expect(sidewaysImports([{ path, text }])).toEqual([expect.stringContaining(path)]);
  });

  test.each([
    ['test to testing', 'test/e2e/x.test.ts', `import { a } from '../../testing/a.ts';`],
    ['bench to src', 'bench/harness/x.ts', `import { a } from '../../src/a.ts';`],
    ['scripts to package.json', 'scripts/x.ts', `import p from '../package.json' with { type: 'json' };`],
  ])('are allowed: %s', (_, path, text) => {
    expect(sidewaysImports([{ path, text }])).toEqual([]);
  });
});

describe('the source tree', () => {
  const files = filesOf('src/**/*.ts');

  test('is read as a whole, with its imports', () => {
    expect(files.length).toBeGreaterThan(20);
    const main = files.find(({ path }) => path === 'src/main.ts');
    expect(importsOf(main?.text ?? '').map(({ specifier }) => specifier)).toContain('./process.ts');
  });

  test('imports one way only', () => {
    expect(importViolations(files)).toEqual([]);
  });

  test('uses every arrow that the table allows', () => {
    expect(unusedArrows(files)).toEqual([]);
  });
});

describe('importViolations', () => {
  const violations = (path: string, text: string): string[] => importViolations([{ path, text }]);

  test.each([
    ['queue to worker', 'src/queue/x.ts', `import { a } from '../worker/a.ts';`],
    ['ota to queue', 'src/ota/x.ts', `import type { A } from '../queue/a.ts';`],
    ['message to anything of ours', 'src/message/x.ts', `import { a } from '../queue/a.ts';`],
    ['message to the rest of aws', 'src/message/x.ts', `import { a } from '../aws/open-call.ts';`],
    ["the table of AWS's errors to anything", 'src/aws/errors.ts', `import { a } from './open-call.ts';`],
    ["the table of AWS's errors to Node", 'src/aws/errors.ts', `import { a } from 'node:fs';`],
    ['message to a module of Node', 'src/message/x.ts', `import { randomUUID } from 'node:crypto';`],
    ['message to a module of Node without its prefix', 'src/message/x.ts', `import fs from 'fs/promises';`],
    ['worker to commands', 'src/worker/x.ts', `import { a } from '../commands/a.ts';`],
    ['worker to values of config', 'src/worker/x.ts', `import { readConfig } from '../config.ts';`],
    ['queue to config', 'src/queue/x.ts', `import type { Config } from '../config.ts';`],
    ['observe to values of worker', 'src/observe/x.ts', `import { a } from '../worker/a.ts';`],
    ['sandbox to worker', 'src/sandbox/x.ts', `import { a } from '../worker/a.ts';`],
    [
      'sandbox to worker from a folder below',
      'src/sandbox/deep/x.ts',
      `import { a } from '../../worker/a.ts';`,
    ],
    ['worker to http', 'src/worker/x.ts', `export * from '../http/a.ts';`],
    ['a re-export against the arrow', 'src/queue/x.ts', `export { a } from '../worker/a.ts';`],
    ['a dynamic import against the arrow', 'src/queue/x.ts', `const a = await import('../worker/a.ts');`],
    ['an import of types in place', 'src/queue/x.ts', `type A = import('../worker/a.ts').A;`],
    ['an import for effect against the arrow', 'src/queue/x.ts', `import '../worker/a.ts';`],
    ['an import of several lines', 'src/queue/x.ts', `import {\n  a,\n  b,\n} from '../worker/a.ts';`],
    ['a second import of one line', 'src/queue/x.ts', `import a from 'zod'; import b from '../worker/a.ts';`],
    ['a dynamic import of a name', 'src/queue/x.ts', 'await import(name);'],
    ['a dynamic import of a template', 'src/queue/x.ts', `await import(\`../\${name}.ts\`);`],
    ['an import from outside src/', 'src/queue/x.ts', `import { a } from '../../test/a.ts';`],
    ['a file of no known layer', 'src/util/x.ts', ''],
    ['a file in src/ of no known layer', 'src/util.ts', ''],
    ['bottleneck outside the limiter', 'src/ota/call.ts', `import Bottleneck from 'bottleneck';`],
    ['a file of bottleneck outside the limiter', 'src/worker/x.ts', `import B from 'bottleneck/light.js';`],
    ['p-retry outside retry.ts', 'src/ota/call.ts', `import pRetry from 'p-retry';`],
    ['client-sqs outside queue/', 'src/check/x.ts', `import type { A } from '@aws-sdk/client-sqs';`],
    [
      'the API client outside ota/',
      'src/commands/x.ts',
      `import { A } from '@aws-sdk/client-iot-managed-integrations';`,
    ],
    ['ioredis outside ota/', 'src/commands/x.ts', `import { Redis } from 'ioredis';`],
    ['fauxqs outside sandbox/', 'src/commands/x.ts', `const { startFauxqs } = await import('fauxqs');`],
  ])('reports %s', (_, path, text) => {
    expect(violations(path, text)).toEqual([expect.stringContaining(path)]);
  });

  test.each([
    ['commands to worker', 'src/commands/x.ts', `import { a } from '../worker/a.ts';`],
    ['worker to types of config', 'src/worker/x.ts', `import type { Config } from '../config.ts';`],
    ['observe to types of worker', 'src/observe/x.ts', `import type {\n  A,\n} from '../worker/a.ts';`],
    ['a command of check to config', 'src/check/command.ts', `import { readConfig } from '../config.ts';`],
    ['a layer to its own files', 'src/sandbox/a/x.ts', `import { a } from '../b/a.ts';`],
    ['main to package.json', 'src/main.ts', `import p from '../package.json' with { type: 'json' };`],
    ['bottleneck in the limiter', 'src/ota/rate/limiter.ts', `import Bottleneck from 'bottleneck/light.js';`],
    ['a package whose name only begins like an owned one', 'src/worker/x.ts', `import a from 'p-retry-x';`],
    [
      'imports in comments',
      'src/queue/x.ts',
      `/*\nimport a from '../worker/a.ts';\n*/\n// import('../http/a')`,
    ],
    ['a method called import', 'src/queue/x.ts', 'tasks.import(name);'],
  ])('allows %s', (_, path, text) => {
    expect(violations(path, text)).toEqual([]);
  });
});
