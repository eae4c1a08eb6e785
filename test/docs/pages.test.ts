import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { jobLogLines } from '../../src/observe/job-log-lines.ts';
import type { LogField } from '../../src/observe/log-fields.ts';
import type { LogLine } from '../../src/observe/log-line.ts';
import { logLines } from '../../src/observe/log-lines.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');
/** Of the working copy: tracked, or new and not ignored. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(`${root}/${path}`));

describe('the tree in ARCHITECTURE.md', () => {
  const [, block = ''] = /<!-- tree:start -->\s*```\n([\s\S]*?)```/.exec(read('ARCHITECTURE.md')) ?? [];
  let folder = '';
  const listed = block.split('\n').flatMap((line) => {
    const [, indent = '', name] = /^( {0,2})(\S+)/.exec(line) ?? [];
    if (name === undefined) return [];
    if (indent === '') folder = name;
    return [indent === '' ? name : folder + name];
  });
  const folders = files.flatMap((path) => {
    const [first, second, third] = path.split('/');
    return [
      ...(second === undefined ? [] : [`${first}/`]),
      ...(third === undefined ? [] : [`${first}/${second}/`]),
    ];
  });
  const inSource = files.filter((path) => /^src\/[^/]+$/.test(path));
  const real = new Set([...folders, ...inSource]);

  test('lists what there is', () => {
    expect(listed.filter((path) => !real.has(path))).toEqual([]);
  });

  test('lists all folders to the second level, and files in src/; folders of test/ that mirror a room are one line', () => {
    const mirrored = (path: string): boolean =>
      real.has(path.replace(/^test\//, 'src/')) || real.has(path.replace(/^test\//, ''));
    const missing = [...real].filter((path) => !listed.includes(path));
    expect(missing.filter((path) => !path.startsWith('test/') || !mirrored(path))).toEqual([]);
  });
});

describe('states in ARCHITECTURE.md', () => {
  /** From → to of the diagram under the paragraph that begins with `title`. */
  const drawn = (title: string): string[] => {
    const [, diagram = ''] =
      new RegExp(`\\*\\*${title}\\*\\*[\\s\\S]*?\`\`\`mermaid\\n([\\s\\S]*?)\`\`\``).exec(
        read('ARCHITECTURE.md'),
      ) ?? [];
    return [...diagram.matchAll(/^ {2}(\w+) --> (\w+)/gm)].map(([, from, to]) =>
      `${from} -> ${to}`.replaceAll('_', '-'),
    );
  };
  /** The same of the table of predecessors in a file. */
  const coded = (path: string): string[] => {
    const [, table = ''] = /const predecessors: [^=]* = \{\n([\s\S]*?)\n\};/.exec(read(path)) ?? [];
    return [...table.matchAll(/^ {2}'?([\w-]+)'?: \[([^\]]*)\]/gm)].flatMap(([, to, from = '']) =>
      [...from.matchAll(/'([\w-]+)'/g)].map(([, state]) => `${state} -> ${to}`),
    );
  };

  test.each([
    ['Delivery', 'src/worker/delivery.ts'],
    ['Receiver', 'src/worker/receive/receiver.ts'],
  ])('%s: as in %s', (title, path) => {
    // A lost lease leads from every state of a delivery to `gone`: the page says so in words.
    const listed = coded(path).filter(
      (edge) => !edge.endsWith(' -> gone') || edge === 'settlement-sent -> gone',
    );
    expect(listed).not.toEqual([]);
    expect(drawn(title).sort()).toEqual(listed.sort());
  });
});

describe('package.json', () => {
  const { scripts, ...parts } = JSON.parse(read('package.json')) as Record<
    'scripts' | 'dependencies' | 'optionalDependencies' | 'devDependencies',
    Record<string, string>
  >;

  test('and docs/dependencies.md name the same packages', () => {
    const named = firstCells(read('docs/dependencies.md')).sort();
    expect(named).toEqual(
      [parts.dependencies, parts.optionalDependencies, parts.devDependencies].flatMap(Object.keys).sort(),
    );
  });

  test('and CONTRIBUTING.md name the same scripts', () => {
    const named = firstCells(read('CONTRIBUTING.md')).filter((cell) => cell.startsWith('npm run '));
    expect(named.sort()).toEqual(
      Object.keys(scripts)
        .map((name) => `npm run ${name}`)
        .sort(),
    );
  });
});

describe('links', () => {
  const pages = files.filter((path) => path.endsWith('.md') && !path.startsWith('bench/results/'));

  test.each(pages)('of %s lead to a file, and to a heading in it', (page) => {
    const text = withoutCode(read(page));
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target));
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : posix.join(posix.dirname(page), path);
      if (!existsSync(`${root}/${target}`)) return true;
      return anchor !== undefined && !anchorsOf(read(target)).has(anchor);
    });
    expect(broken).toEqual([]);
  });
});

/** Those written by hand. */
const written = files.filter(
  (path) => /\.md$/.test(path) && !/^(?:docs\/reference|bench\/results)\//.test(path),
);

// At the prompt of zsh, a comment is an argument.
test('commands to paste have no comments behind them', () => {
  const commented = written.flatMap((page) =>
    read(page)
      .replace(/^```(?!sh$|console$)[\s\S]*?^```/gm, '')
      .split('\n')
      .filter((line) => /^(?: {4}|(?:npm|npx|ota-updater|aws|docker|kubectl) ).*\S\s+# /.test(line))
      .map((line) => `${page}: ${line}`),
  );
  expect(commented).toEqual([]);
});

test('lines of prose are 150 characters long at most', () => {
  const long = written.flatMap((page) =>
    withoutCode(read(page).replace(/^<!--[\s\S]*?-->$/gm, ''))
      .split('\n')
      .filter((line) => line.length > 150 && !/^(?: {4}|\s*\||#)/.test(line))
      .map((line) => `${page}: ${line}`),
  );
  expect(long).toEqual([]);
});

/** `src/NAME/command.ts`, `src/x/y.ts`, `src/check/*-findings.ts`. */
const PLACEHOLDER = /[*{]|[A-Z]{4}|\/[xy]\b/;

describe('names of the code', () => {
  const pages = [
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'README.md',
    ...files.filter((path) => /^docs\/[^/]+\.md$|^docs\/(?:decisions|runbooks)\/.*\.md$/.test(path)),
  ];

  test.each(pages)('in %s: each path is in the tree', (page) => {
    const paths = [
      ...read(page).matchAll(/`((?:src|test|testing|scripts|chaos|docs|packages|schema)\/[^`\s]*)`/g),
    ]
      .map(([, path = '']) => path)
      .filter((path) => !PLACEHOLDER.test(path));
    expect(paths.filter((path) => !existsSync(`${root}/${path}`))).toEqual([]);
  });

  test.each(pages)('in %s: each name said to be in a file is there', (page) => {
    const claims = [
      ...read(page).matchAll(
        /((?:`\w+`(?:, | and )?)+) (?:in|of) `((?:src|test|testing|scripts)\/[^`*]+\.ts)`/g,
      ),
    ];
    const known = claims.filter(([, , path = '']) => !PLACEHOLDER.test(path));
    const wrong = known.flatMap(([, names = '', path = '']) =>
      [...names.matchAll(/\w+/g)]
        .map(([name]) => name)
        .filter((name) => !read(path).includes(name))
        .map((name) => `${name} in ${path}`),
    );
    expect(wrong).toEqual([]);
  });
});

/** The code in the first cell of each row of a page's tables. */
function firstCells(page: string): string[] {
  return [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell);
}

/** As GitHub makes them: lower case, punctuation dropped, spaces to hyphens. */
function anchorsOf(text: string): Set<string> {
  const headings = [...withoutCode(text).matchAll(/^#+ (.+)$/gm)];
  return new Set(
    headings.map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '');
}

describe('log lines in docs/troubleshooting.md', () => {
  const lines = [...read('docs/troubleshooting.md').matchAll(/^\{"level".*\}$/gm)].map(
    ([line]) => JSON.parse(line) as Record<string, unknown>,
  );

  test.each(lines)('$event is what a worker writes', ({ level, event, msg, ...fields }) => {
    const line = [...Object.values<LogLine>(logLines), ...Object.values<LogLine>(jobLogLines)].find(
      (known) => known.level === level && known.event === event && known.message === msg,
    );
    expect(line).toBeDefined();
    expect(Object.keys(fields).filter((field) => !line?.fields.includes(field as LogField))).toEqual([]);
  });
});

test('"Resource use" of docs/operations.md has the figures of the results that it links', () => {
  const { idle } = JSON.parse(read('bench/results/results.json')) as {
    idle: { result: { tables: { columns: string[]; rows: [string, string][] }[] } };
  };
  const container = idle.result.tables.find(({ columns }) => columns[0] === 'container');
  const figure = (start: string): string =>
    container?.rows.find(([name]) => name.startsWith(start))?.[1] ?? '(not measured)';
  const [paragraph = ''] = /^\*\*Resource use\*\*(?:.|\n(?!\n))*/m.exec(read('docs/operations.md')) ?? [];
  const words = paragraph.replaceAll('\n', ' ');
  expect(words).toContain(`takes ${figure('memory')} by \`docker stats\` and ${figure('CPU')} of a core`);
  expect(words).toContain(`it takes ${(Number.parseInt(figure('`docker run`'), 10) / 1_000).toFixed(1)} s`);
  expect(words).toContain(`The image is ${figure('image').replace(/ \(.*/, '')} with`);
  expect(words).toContain(`${figure('of that')} are the base image`);
});
