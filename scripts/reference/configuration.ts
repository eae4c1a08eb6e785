/** docs/reference/configuration.md */
import { describeConfig } from '../../src/config.ts';
import { code, type Page, table } from './page.ts';

export const configurationPage: Page = {
  name: 'configuration.md',
  about: 'Every environment variable: default, accepted values, meaning',
  text: () => `# Configuration

Configuration comes from environment variables. \`--env-file PATH\`, before or after the command, reads more from a file;
a variable that is already set wins over the file. An empty variable counts as not set. Bad values are refused at start:
every fault in one message, exit code 2. Each command reads only the variables it needs.

${table(
  ['variable', 'default', 'accepts', 'meaning'],
  describeConfig().map(({ name, fallback, accepts, doc }) => [
    code(name),
    fallback === 'none' ? 'none' : code(fallback),
    accepts,
    doc,
  ]),
)}

\`RETRY_BASE_MS\` must not be above \`RETRY_MAX_MS\`, and the queues must differ from each other.

The variables of the AWS SDK are honoured as they are: region and credentials (\`AWS_REGION\`, \`AWS_PROFILE\`,
\`AWS_ACCESS_KEY_ID\`, container and instance roles, and so on), \`AWS_ENDPOINT_URL_SQS\`,
\`AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS\`, \`AWS_USE_FIPS_ENDPOINT\`.

What to set them to, and why: [Running it](../operations.md).
`,
};
