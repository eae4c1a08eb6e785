/** What is wrong with the input, as sentences: which field, and what it must be. PURE. */
import type { z } from 'zod';
import { counted } from '../../text/numbers.ts';

const MOST_FAULTS = 5;

type Issue = z.core.$ZodIssue;

/**
 * Keeps the messages of our own schemas, and rephrases the library's.
 * @param what name of the input if it is not an object with named fields. @param labels fields that have another name for
 * people.
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

/** The beginnings of the library's own messages. */
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

/** Uses the last alternative of a union, which accepts a value: the others are for missing values. */
function ofUnion(ways: readonly (readonly Issue[])[]): string {
  const last = ways.at(-1)?.[0];
  return last === undefined ? 'is not an allowed value' : wanted(last);
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
