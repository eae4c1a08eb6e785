/** docs/reference/logs.md */

import { jobLogLines } from '../../src/observe/job-log-lines.ts';
import { type LogField, logFields } from '../../src/observe/log-fields.ts';
import type { LogLine } from '../../src/observe/log-line.ts';
import { logLines } from '../../src/observe/log-lines.ts';
import { block, code, type Page, table } from './page.ts';

const example = {
  level: 'error',
  time: '2026-11-28T07:00:12.345Z',
  service: 'ota-updater',
  pid: 1,
  event: 'dead_letter',
  identifier: 'unknown7',
  jobId: '2026-11-fleet-b7',
  messageId: '1c7a6bde-…',
  receiveCount: 1,
  reason: 'Rejected',
  attempts: 1,
  status: 404,
  errorName: 'ResourceNotFoundException',
  msg: 'dead-lettered',
} as const;

export const logsPage: Page = {
  name: 'logs.md',
  about: 'Every event of the log with its level, text and fields',
  text: () => {
    const lines: readonly LogLine[] = [...Object.values(logLines), ...Object.values(jobLogLines)];
    const fields = Object.keys(logFields).sort() as LogField[];
    return `# Log

The worker, and \`jobs send\`, write JSON lines to stdout, one event each; on a terminal they are readable lines, without colour if \`NO_COLOR\` is set. \`LOG_LEVEL\` sets the lowest level that is written. Every line has
\`level\`, \`time\` (ISO 8601 UTC), \`service\`, \`pid\`, \`event\` and \`msg\`; the fields below are added. To see what happened to one
task, search for its \`identifier\`. A dead letter is one \`error\` line and holds the whole story (shortened here):

${block(JSON.stringify(example), 'json')}

Error messages are cut off after 1,000 characters, and where AWS begins to quote a signed request. Control characters and
bidirectional overrides are escaped, wherever they come from.

## Events

One event may have several lines, at a level that depends on the failure.

${table(
  ['event', 'level', 'text', 'fields'],
  lines.map(({ event, level, message, fields: of }) => [
    code(event),
    level,
    message,
    of.map(code).join(', '),
  ]),
)}

## Fields

A field without a value is left out.

${table(
  ['field', 'holds'],
  fields.map((field) => [code(field), logFields[field]]),
)}
`;
  },
};
