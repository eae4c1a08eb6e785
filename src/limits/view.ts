/** The limits of a fleet in words and as JSON. PURE. */
import type { FleetLimit, FleetLimits } from '../ota/fleet-limits.ts';
import { hang } from '../text/layout.ts';
import { jsonLine, printable } from '../text/printable.ts';
import { instant } from '../text/times.ts';
import { epochMs } from '../time/instant.ts';

export function limitsText({ rate, concurrency }: FleetLimits): string {
  return `${[
    'Limits set for all workers through Redis:',
    hang('  RATE_LIMIT       ', printable(limitText(rate, ' calls per second, for all workers together'))),
    hang('  MAX_CONCURRENCY  ', printable(limitText(concurrency, ' calls in flight, for each worker'))),
    'A worker uses the lowest of its environment, its LIMITS_FILE and these.',
  ].join('\n')}\n`;
}

function limitText(limit: FleetLimit | undefined, unit: string): string {
  if (limit === undefined) return 'not set';
  const { value, by, reason, at } = limit;
  const what = value === null ? 'lifted' : `${value}${unit};`;
  return `${what} by ${by}, ${instant(epochMs(at))} UTC: ${reason}`;
}

export function limitsJson({ rate, concurrency }: FleetLimits): string {
  return jsonLine({ rate: rate ?? null, concurrency: concurrency ?? null });
}
