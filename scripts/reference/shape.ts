/** The shape of a command's JSON output: a sample that the command's own code printed, and a meaning for each field. */
import { block, code, table } from './page.ts';

export interface Shape {
  /** Its heading. */
  readonly title: string;
  /** When it is printed, if the title does not say so. */
  readonly about?: string;
  /** What the code prints for made-up facts. */
  readonly sample: unknown;
  /** By path: `a.b`, `a[].b`. A meaning with a link covers everything below it. */
  readonly fields: Readonly<Record<string, string>>;
}

/** @throws Error naming fields of the sample without a meaning, and meanings without a field. */
export function shapeText({ title, about, sample, fields }: Shape): string {
  const found = pathsOf(sample, '', fields);
  const unexplained = found.filter((path) => fields[path] === undefined);
  const gone = Object.keys(fields).filter((path) => !found.includes(path));
  if (unexplained.length + gone.length > 0) {
    throw new Error(`JSON of ${title}: not explained: ${unexplained.join()}; no such field: ${gone.join()}`);
  }
  const rows = Object.entries(fields).map(([path, meaning]) => [code(path), meaning]);
  return [
    `## ${title}`,
    ...(about === undefined ? [] : [about]),
    block(JSON.stringify(sample, null, 2), 'json'),
    table(['field', 'holds'], rows),
  ].join('\n\n');
}

/** Leaves of `value`; an empty array or object is a leaf. */
function pathsOf(value: unknown, path: string, fields: Shape['fields']): string[] {
  if (fields[path]?.includes('](')) return [path];
  const inner = Array.isArray(value)
    ? value.slice(0, 1).flatMap((item) => (isObject(item) ? pathsOf(item, `${path}[]`, fields) : []))
    : isObject(value)
      ? Object.entries(value).flatMap(([key, item]) =>
          pathsOf(item, path === '' ? key : `${path}.${key}`, fields),
        )
      : [];
  return inner.length > 0 ? inner : [path];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
