/** Variables as they are in an environment, where more than the value may have been left. PURE. */

export type Environment = Readonly<Record<string, string | undefined>>;

/** The text of a variable, or what is wrong with how it is written; neither if it is not set or empty. */
export interface Written {
  readonly text?: string;
  readonly fault?: string;
}

const BYTE_ORDER_MARK = '\ufeff';

/** What must not surround a value. The value itself is not repeated, since it may be secret. */
const wrappings: readonly { readonly found: RegExp; readonly fault: string }[] = [
  {
    found: /^\ufeff|\ufeff$/,
    fault: 'comes with a byte order mark: save the file that sets it without one',
  },
  {
    found: /^\s*(["'`]).*\1\s*$/s,
    fault: 'is in quotes, which `docker run --env-file` keeps: remove them',
  },
  {
    found: /\r$/,
    fault: 'ends with a carriage return: save the file that sets it with Unix line ends',
  },
  { found: /^\s+\S|\S\s+$/, fault: 'begins or ends with a blank or a line break: remove it' },
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
  { found: /[\u0000-\u001f\u007f]/, fault: 'contains a line break or another control character: remove it' },
];

/** Reads one variable. */
export function readVariable(environment: Environment, name: string): Written {
  const text = environment[name];
  // `docker run --env-file` reads a byte order mark at the beginning of the file as part of the first name.
  if (!text && environment[`${BYTE_ORDER_MARK}${name}`] !== undefined)
    return { fault: wrappings[0]?.fault ?? '' };
  if (!text) return {};
  const wrapped = wrappings.find(({ found }) => found.test(text));
  return wrapped === undefined ? { text } : { fault: wrapped.fault };
}
