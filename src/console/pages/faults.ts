/** What is wrong with what was sent, in sentences: which field, and what it must be. PURE. */
import type { z } from 'zod';
import { counted } from '../../text/numbers.ts';

const MOST_FAULTS = 5;

type Issue = z.core.$ZodIssue;

/**
 * The messages of our own schemas are kept; the library's own are put into words.
 * @param what was sent, where it is no object whose fields have names. @param labels of fields that people know by another name.
 */
export function faultsIn(
  { issues }: z.core.$ZodError,
  what = 'What was sent',
  labels: Readonly<Record<string, string>> = {},
): string {
  const said = [...new Set(issues.map((issue) => fault(issue, what, labels)))];
  const more = said.length - MOST_FAULTS;
  return `${said.slice(0, MOST_FAULTS).join(' ')}${more > 0 ? ` And ${counted(more, 'more fault')}.` : ''}`;
}

function fault(issue: Issue, what: string, labels: Readonly<Record<string, string>>): string {
  if (/^[A-Z][^:]*: .*\.$/s.test(issue.message)) return issue.message;
  const names = issue.path.map(String);
  const [field = ''] = names;
  const at = Object.hasOwn(labels, field) ? `"${labels[field]}"` : names.join('.') || what;
  return `${at}: ${wanted(issue)}.`;
}

/** How the library's own messages begin. */
const OF_LIBRARY = /^(Invalid|Too (small|big)|Unrecognized)\b/;

function wanted(issue: Issue): string {
  if (!OF_LIBRARY.test(issue.message)) return plain(issue.message);
  switch (issue.code) {
    case 'invalid_type':
      return mustBe(issue.expected);
    case 'too_small':
      return issue.origin === 'string'
        ? `must have at least ${counted(Number(issue.minimum), 'character')}`
        : issue.origin === 'array'
          ? `must name at least ${issue.minimum}`
          : `must be ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `may have at most ${counted(Number(issue.maximum), 'character')}`
        : issue.origin === 'array'
          ? `may name at most ${issue.maximum}`
          : `must be ${issue.inclusive === false ? 'below' : 'at most'} ${issue.maximum}`;
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`;
    case 'invalid_union':
      return ofUnion(issue.errors);
    case 'invalid_format':
      return `must match ${issue.pattern}`;
    default:
      return plain(issue.message);
  }
}

/** The last way is the one that takes something: the others are for what is left out. */
function ofUnion(ways: readonly (readonly Issue[])[]): string {
  const last = ways.at(-1)?.[0];
  return last === undefined ? 'is none of what it may be' : wanted(last);
}

function mustBe(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a JSON object',
    record: 'a JSON object',
  };
  return `must be given, as ${words[expected] ?? `a ${expected}`}`;
}

function plain(message: string): string {
  return message.replace(/\.$/, '');
}
