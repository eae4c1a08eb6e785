/** docs/reference/configuration.md */
import { describeConfig } from '../../src/config.ts';
import { telemetryVariables } from '../../src/telemetry/settings.ts';
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

The variables of the AWS SDK have their usual meaning: region and credentials (\`AWS_REGION\`, \`AWS_PROFILE\`,
\`AWS_ACCESS_KEY_ID\`, container and instance roles, and so on), \`AWS_ENDPOINT_URL_SQS\`,
\`AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS\`, \`AWS_USE_FIPS_ENDPOINT\`. Commands that make requests to AWS check them at start,
in the same message:

- a region is required, in \`AWS_REGION\` or in the profile; the SDK does not read \`AWS_DEFAULT_REGION\`;
- an endpoint is a URL with its scheme; over http it must not be one of AWS's own hosts, and neither must the URL of a queue;
- no value, of these variables or of those above, is in quotes, comes with a byte order mark, or ends with a blank or a carriage
  return: \`docker run --env-file\` passes all of these on.

Requests to AWS go through \`HTTPS_PROXY\` (over http: \`HTTP_PROXY\`), except those to the hosts in \`NO_PROXY\`, to this machine, and to
the addresses from which machines and containers get their credentials. The lower-case names of these variables take precedence. An
address without a scheme means an HTTP proxy. Requests to Redis are not HTTP and do not use the proxy.

## OpenTelemetry

The worker, \`dead-letters redrive\` and the console's redrives read these as OpenTelemetry's specification says: a value that cannot be used
is reported at the start and ignored. Without an endpoint nothing is traced, and nothing of OpenTelemetry is loaded. [Traces](../watching.md#traces).

${table(
  ['variable', 'default', 'meaning'],
  Object.entries(telemetryVariables).map(([name, { fallback, doc }]) => [
    code(name),
    fallback === 'none' ? 'none' : code(fallback),
    doc,
  ]),
)}

What to set them to, and why: [Running it](../operations.md).
`,
};
