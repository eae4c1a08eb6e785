/** Every literal and every reference of a parsed module, changed: one at a time. */
import { type Block, isList, type Json } from './module.ts';

export interface Mutant {
  /** Where: `resource.aws_sqs_queue.updates.0.name`. */
  readonly path: string;
  readonly from: string;
  readonly to: string;
  readonly whole: Block;
}

/** Words (names, numbers, `true`, `null`), operators, and what else stands between quotes. */
const TOKEN = /[A-Za-z0-9_]+|==|!=|&&|\|\||>=?|[*?%$@]+(?=")|(?<=[\w}])[-:/.?&](?=[\w${])/g;
const others: Readonly<Record<string, string>> = {
  '==': '!=',
  '!=': '==',
  '&&': '||',
  '||': '&&',
  '>': '<',
  '>=': '<',
  true: 'false',
  false: 'true',
};
const anotherWord = (word: string): string =>
  others[word] ?? (/^\d+$/.test(word) ? String(Number(word) + 1) : /^\w+$/.test(word) ? `${word}x` : '_');

/** Of the same length. */
const withoutComments = (text: string): string =>
  text.replace(/#[^\n]*/g, (comment) => ' '.repeat(comment.length));

/** Other texts: each token replaced, and a name by each of its siblings in the module. */
function otherTexts(text: string, siblings: ReadonlyMap<string, readonly string[]>): readonly string[] {
  if (text === '') return ['another'];
  const all = [...withoutComments(text).matchAll(TOKEN)].flatMap(({ 0: word, index }) =>
    [anotherWord(word), ...(siblings.get(word) ?? [])].map(
      (to) => text.slice(0, index) + to + text.slice(index + word.length),
    ),
  );
  return all.length === 0 ? ['another'] : all;
}

function othersOf(value: Json, siblings: ReadonlyMap<string, readonly string[]>): readonly Json[] {
  if (typeof value === 'string') return otherTexts(value, siblings);
  if (typeof value === 'number') return [value + 1];
  if (typeof value === 'boolean') return [!value];
  return ['another'];
}

/** What a value has inside, changed: another value, none, and one more. */
function* changed(
  value: Json,
  path: string,
  siblings: ReadonlyMap<string, readonly string[]>,
): Generator<{ path: string; from: string; to: string; made: Json | undefined }> {
  const nothingInside = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  if (typeof value !== 'object' || value === null || nothingInside) {
    const from = JSON.stringify(value);
    for (const made of othersOf(value, siblings)) yield { path, from, to: JSON.stringify(made), made };
    yield { path, from, to: 'nothing', made: undefined };
    return;
  }
  if (!isList(value))
    yield {
      path: `${path}.another`,
      from: 'nothing',
      to: 'another',
      made: { ...value, another: 'another' },
    };
  for (const [key, inside] of Object.entries(value))
    for (const { made, ...rest } of changed(inside, `${path}.${key}`, siblings)) {
      const own: Json = isList(value)
        ? value.flatMap((each, i) => (String(i) !== key ? [each] : made === undefined ? [] : [made]))
        : Object.fromEntries(
            Object.entries(value).flatMap(([name, each]) =>
              name !== key ? [[name, each]] : made === undefined ? [] : [[name, made]],
            ),
          );
      yield { ...rest, made: own };
    }
}

/** Names of one type, each with the others: a reference to one of them may be a mistake for another. */
function siblingsIn(whole: Block): ReadonlyMap<string, readonly string[]> {
  const groups = Object.values((whole.resource ?? {}) as Block).map((named) => Object.keys(named as Block));
  const all = new Map<string, Set<string>>();
  for (const group of [...groups, Object.keys((whole.variable ?? {}) as Block)])
    for (const name of group) {
      const [next] = group.filter((other) => other > name).toSorted();
      const other = next ?? group.toSorted()[0];
      if (other !== undefined && other !== name) all.set(name, (all.get(name) ?? new Set()).add(other));
    }
  return new Map([...all].map(([name, set]) => [name, [...set]]));
}

/** One by one: whatever is written in the module's files, changed once in each way. */
export function* mutantsOf(whole: Block): Generator<Mutant> {
  for (const { made, path, ...rest } of changed(whole, '', siblingsIn(whole)))
    yield { ...rest, path: path.slice(1), whole: made as Block };
}
