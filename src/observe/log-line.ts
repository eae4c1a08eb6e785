/** The type of a log line: the tables of lines consist of these. */
import type { LogField } from './log-fields.ts';

export interface LogLine<Field extends LogField = LogField> {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly message: string;
  readonly fields: readonly Field[];
}

export const line = <const Field extends LogField = never>(
  level: LogLine['level'],
  event: string,
  message: string,
  fields: readonly Field[] = [],
): LogLine<Field> => ({ level, event, message, fields });
