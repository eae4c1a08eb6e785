/** What can be found out about the API without changing anything: where calls go, and how one signed read is answered. */
import { GetOtaTaskCommand } from '@aws-sdk/client-iot-managed-integrations';
import { ForeignAnswerError, named } from '../aws/foreign.ts';
import { attachCall, OpenCalls } from '../aws/open-call.ts';
import { classify, type Failure } from '../message/failure.ts';
import { createClient, type OtaApiOptions, toCallError } from './client.ts';

/**
 * A valid identifier that no task has, because AWS creates the identifiers itself. A caller who may read tasks gets a
 * ResourceNotFoundException.
 */
const NO_TASK = 'otaUpdaterCheckNoSuchTask';

/** The API's address. */
export interface ApiEndpoint {
  readonly url: string;
  /** Set by a variable or a profile instead of by the region. */
  readonly custom: boolean;
  readonly fips: boolean;
}

export interface ApiProbe {
  /**
   * Where calls go in a region, by the client's own rules. @throws what the client throws for a region that does not exist.
   */
  endpoint(region: string): Promise<ApiEndpoint>;
  /**
   * Asks for a task that does not exist (GetOtaTask), once.
   * @returns why the expected answer did not come; undefined: the API accepts the caller, and allows the read. Never
   * rejects.
   */
  read(): Promise<Failure | undefined>;
  destroy(): void;
}

export function createApiProbe(options: OtaApiOptions): ApiProbe {
  const client = createClient(options);
  const calls = new OpenCalls();
  return {
    endpoint: async (Region) => {
      const { config } = client;
      const fips = await config.useFipsEndpoint();
      const custom = await config.serviceConfiguredEndpoint?.();
      if (custom !== undefined) return { url: custom, custom: true, fips };
      const { url } = config.endpointProvider({ Region, UseFIPS: fips });
      return { url: url.origin, custom: false, fips };
    },
    read: async () => {
      try {
        const { TaskId } = await calls.run(options.callTimeoutMs, undefined, (call) =>
          client.send(attachCall(new GetOtaTaskCommand({ Identifier: NO_TASK }), call)),
        );
        return TaskId === undefined ? notTheApi : undefined;
      } catch (thrown) {
        const failure = classify(toCallError(thrown), Date.now());
        if (failure.kind === 'rejected' && failure.name === 'ResourceNotFoundException') return undefined;
        const foreign = named(thrown);
        return foreign instanceof ForeignAnswerError
          ? { ...failure, name: foreign.name, message: foreign.message }
          : failure;
      }
    },
    destroy: () => client.destroy(),
  };
}

/** A 200 without a task may come from a proxy. */
const notTheApi: Failure = {
  kind: 'unidentified',
  name: 'ForeignAnswer',
  message: 'it answered with success, but without a task',
  status: 200,
};
