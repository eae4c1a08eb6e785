/** Where requests about a queue go. */
import { isAwsHost } from '../aws/endpoints.ts';

/** The SDK's switches (`AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`, and a profile's keys of these names). */
export interface EndpointSwitches {
  readonly fips: boolean;
  readonly dualStack: boolean;
}

/** SQS's hosts for everybody, the present and the legacy form: not those of VPC endpoints. */
const PUBLIC = /^(?:sqs(?:-fips)?\.[a-z\d-]+|(?:[a-z\d-]+\.)?queue)\.(?!vpce\.)/;

/**
 * The origin that a request goes to where no endpoint is configured: that of the queue's URL, as emulators and VPC endpoints
 * need it, but the region's where a switch asks for an endpoint that the URL's host is not.
 * @param regional the region's origin, by the SDK's rules for these switches.
 */
export function originFor(queueUrl: string, regional: string, { fips, dualStack }: EndpointSwitches): string {
  const url = URL.parse(queueUrl);
  if (url === null) return regional;
  const { hostname, origin } = url;
  if (!isAwsHost(hostname)) return origin;
  // Rather no answer than one from an endpoint that is not FIPS.
  if (fips && !hostname.includes('fips')) return regional;
  return dualStack && PUBLIC.test(hostname) ? regional : origin;
}

/** An endpoint as the SDK resolved it. */
interface Endpoint {
  readonly url: URL;
}

type Next<Args, Answer> = (args: Args) => Promise<Answer>;

type Middleware = <Args extends { readonly input: object }, Answer>(
  next: Next<Args, Answer>,
  context: { endpointV2?: Endpoint },
) => Next<Args, Answer>;

/** The parts of an SDK client that are needed. */
interface SdkClient {
  readonly config: {
    /** An endpoint was given to the client. */
    readonly isCustomEndpoint?: boolean | undefined;
    /** The endpoint of the environment or the profile, unless it is to be ignored. */
    readonly serviceConfiguredEndpoint?: (() => Promise<unknown>) | undefined;
    readonly useFipsEndpoint: () => Promise<boolean>;
    readonly useDualstackEndpoint: () => Promise<boolean>;
  };
  readonly middlewareStack: {
    addRelativeTo(
      middleware: Middleware,
      options: { relation: 'after'; toMiddleware: string; name: string },
    ): void;
  };
}

/** Whether an endpoint is configured, so that neither region nor queue URLs choose the host. */
export async function hasEndpoint({ config }: Pick<SdkClient, 'config'>): Promise<boolean> {
  return config.isCustomEndpoint === true || (await config.serviceConfiguredEndpoint?.()) !== undefined;
}

/**
 * Sends requests of a client to {@link originFor}, or to the endpoint that is configured. In place of the SDK's own choice,
 * which always takes the URL's host, and says so on stderr at every request.
 */
export function chooseHosts({ middlewareStack, config }: SdkClient): void {
  const choose: Middleware = (next, context) => {
    // Of one queue: the middleware is resolved once for each.
    let last: { readonly queueUrl: string; readonly regional: URL; readonly url: URL } | undefined;
    return async (args) => {
      const { endpointV2 } = context;
      const { QueueUrl: queueUrl } = args.input as { readonly QueueUrl?: string };
      if (endpointV2 === undefined || queueUrl === undefined) return next(args);
      const regional = endpointV2.url;
      if (last?.queueUrl !== queueUrl || last.regional.href !== regional.href) {
        const [configured, fips, dualStack] = await Promise.all([
          hasEndpoint({ config }),
          config.useFipsEndpoint(),
          config.useDualstackEndpoint(),
        ]);
        const origin = originFor(queueUrl, regional.origin, { fips, dualStack });
        last = { queueUrl, regional, url: configured ? regional : new URL(origin) };
      }
      context.endpointV2 = { ...endpointV2, url: last.url };
      return next(args);
    };
  };
  const options = { relation: 'after', toMiddleware: 'endpointV2Middleware', name: 'chooseHosts' } as const;
  middlewareStack.addRelativeTo(choose, options);
}
