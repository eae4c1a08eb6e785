/** The body of UpdateOtaTask; an omitted field stays as stored. */
export interface UpdateInput {
  readonly Description?: string;
  readonly TaskConfigurationId?: string;
}

export interface ReadBody {
  readonly input: UpdateInput;
  /** Not a JSON object: the service's SerializationException. */
  readonly malformed: boolean;
  /** One sentence for each broken rule of the service, naming the field. */
  readonly violations: readonly string[];
}

interface Rule {
  readonly field: string;
  readonly maxLength: number;
  readonly pattern: RegExp;
}

const identifierRule: Rule = { field: 'Identifier', maxLength: 200, pattern: /^[A-Za-z0-9]+$/ };
const descriptionRule: Rule = { field: 'Description', maxLength: 256, pattern: /^[0-9A-Za-z_\- ]+$/ };
const configurationRule: Rule = { field: 'TaskConfigurationId', maxLength: 64, pattern: /^[a-zA-Z0-9]+$/ };

/** The rule that an Identifier breaks, or null. */
export function identifierViolation(value: string): string | null {
  return violationOf(identifierRule, value);
}

/** Reads a request body. As in the service, null counts as omitted and unknown fields are ignored. */
export function readBody(text: string | undefined): ReadBody {
  const body = parseObject(text);
  if (body === null) return { input: {}, malformed: true, violations: [] };
  const input: { Description?: string; TaskConfigurationId?: string } = {};
  const violations: string[] = [];
  const read = (rule: Rule, value: unknown): string | undefined => {
    if (value === undefined || value === null) return undefined;
    const violation = violationOf(rule, value);
    if (violation !== null) violations.push(violation);
    return typeof value === 'string' ? value : undefined;
  };
  const description = read(descriptionRule, body.Description);
  if (description !== undefined) input.Description = description;
  const configuration = read(configurationRule, body.TaskConfigurationId);
  if (configuration !== undefined) input.TaskConfigurationId = configuration;
  return { input, malformed: false, violations };
}

/** The message of the service for these violations. */
export function violationMessage(violations: readonly string[]): string {
  const noun = violations.length === 1 ? 'error' : 'errors';
  return `${violations.length} validation ${noun} detected: ${violations.join('; ')}`;
}

function violationOf(rule: Rule, value: unknown): string | null {
  if (typeof value !== 'string')
    return `Value at '${rule.field}' failed to satisfy constraint: Member must be a string`;
  const failed = (constraint: string) =>
    `Value '${value}' at '${rule.field}' failed to satisfy constraint: Member must ${constraint}`;
  if (value.length < 1) return failed('have length greater than or equal to 1');
  if (value.length > rule.maxLength) return failed(`have length less than or equal to ${rule.maxLength}`);
  if (!rule.pattern.test(value)) return failed(`satisfy regular expression pattern: ${rule.pattern.source}`);
  return null;
}

function parseObject(text: string | undefined): Record<string, unknown> | null {
  if (text === undefined || text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return value as Record<string, unknown>;
  } catch {
    return null;
  }
}
