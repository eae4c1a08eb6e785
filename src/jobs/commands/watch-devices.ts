/** Looks at the devices of a job that is being sent, through the API. */
import type { CommandContext } from '../../cli/context.ts';
import { apiSettings, readConfigForAws } from '../../config.ts';
import type { OtaReader } from '../../ota/reader.ts';
import type { PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { DeviceWatch, type DeviceWatchOptions } from '../verify/device-watch.ts';
import type { JudgedVerification } from '../verify/sum.ts';

export interface WatchedDevices {
  readonly watch: DeviceWatch;
  readonly close: () => Promise<void>;
}

/** Requires API settings only when there are devices to look at: most jobs have no rule about devices. */
export function watchDevices(
  context: CommandContext,
  ledger: Pick<Ledger, 'pages'>,
  told: Pick<DeviceWatchOptions, 'onSeen' | 'onTrouble'>,
): WatchedDevices {
  const over = new AbortController();
  let reader: Promise<OtaReader> | undefined;
  const verify = async ({ key, plan }: PlannedJob, signal: AbortSignal): Promise<JudgedVerification> => {
    const config = readConfigForAws(context.env, apiSettings);
    const [{ createReader }, { verifyJob }] = await Promise.all([
      import('../../ota/create-reader.ts'),
      import('../verify/verify-job.ts'),
    ]);
    reader ??= Promise.resolve(createReader(config, context, over.signal));
    return await verifyJob({
      ledger,
      key,
      counted: plan.progress,
      reader: await reader,
      maxConcurrency: config.maxConcurrency,
      executions: false,
      signal,
      now: context.clock.wall,
      onTask: () => {},
    });
  };
  const watch = new DeviceWatch({ ...told, verify, now: context.clock.monotonic });
  return {
    watch,
    close: async () => {
      over.abort();
      await watch.close();
      await (await reader)?.close();
    },
  };
}
