/** Whether a stage may pass, by what was last seen of the devices. PURE. */
import { brokenText, isBroken, leastOf, withoutLeast } from './abort-rules.ts';
import { devicesSince, type StageProgress } from './progress.ts';
import type { JobSettings } from './settings.ts';

/** Devices that a rule wants to see before it judges. */
export interface AwaitedDevices {
  /** So many have ended, of so many that it wants, and others are under way. */
  readonly ended: number;
  readonly least: number;
  readonly underWay: number;
}

interface StageVerdict {
  /** The rules cannot judge yet. */
  readonly awaits?: AwaitedDevices;
  /** It may not pass, as a sentence without its full stop. */
  readonly broken?: string;
}

/**
 * With `--verify-each` a stage does not pass unjudged: where fewer devices have ended than a rule wants to see, it waits for those
 * under way; once none is, the rule judges by those that there are.
 */
export function verdictOn(
  { abortWhen = [], verifyEach }: JobSettings,
  progress: StageProgress,
): StageVerdict {
  const ends = devicesSince(progress);
  if (ends === undefined || verifyEach !== true) return {};
  const rules = abortWhen.filter((rule) => rule.of === 'devices' && ends.ended < leastOf(rule));
  if (rules.length === 0) return {};
  const { underWay = 0 } = progress.devices ?? {};
  if (underWay > 0)
    return { awaits: { ended: ends.ended, least: Math.max(...rules.map(leastOf)), underWay } };
  const broken = rules.find((rule) => isBroken(withoutLeast(rule), ends));
  return broken === undefined
    ? {}
    : { broken: `${brokenText(broken, ends)}, and no other device is under way` };
}
