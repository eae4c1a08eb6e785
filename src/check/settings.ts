/** The settings in force, for a person and for scripts, without secrets. PURE. */
import { COMMON_ENDPOINT, endpointVariables } from '../aws/endpoints.ts';
import { readVariable } from '../config/environment.ts';
import type { Variable } from '../config/variable.ts';
import { variables } from '../config/variables.ts';
import type { Environment } from '../config.ts';
import { printableUrl } from '../text/urls.ts';

export interface EffectiveSetting {
  readonly name: string;
  /** As text; a URL without user, password and query. null: not set, and without a default. */
  readonly value: string | null;
  /** Whether it is set; if not, `value` is the default. */
  readonly set: boolean;
}

/** The SDK's variables that determine where requests go. */
const ofTheSdk = ['AWS_REGION', 'AWS_PROFILE', COMMON_ENDPOINT, ...Object.values(endpointVariables)];

/** Every setting of this program, and the SDK variables above that are set. */
export function effectiveSettings(env: Environment): EffectiveSetting[] {
  const own = Object.values<Variable<unknown>>(variables).map(({ name, fallback }) => {
    const { text } = readVariable(env, name);
    return { name, value: shown(name, text ?? fallback), set: text !== undefined };
  });
  const others = ofTheSdk.flatMap((name) => {
    const text = env[name];
    return text ? [{ name, value: shown(name, text), set: true }] : [];
  });
  return [...own, ...others];
}

function shown(name: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  if (name === variables.notifyWebhookSecret.name) return 'a secret, which is not shown';
  // The path of a webhook is its secret part.
  if (name === variables.notifyWebhookUrl.name) return `${printableUrl(URL.parse(text)?.origin ?? '')}/…`;
  return /_URL(_|$)/.test(name) ? printableUrl(text) : text;
}
