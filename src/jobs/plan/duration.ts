/** How long something takes, as a person would say it. PURE. */

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** `1 h 23 min`: the two largest units; undefined when there is no telling, or for less than a second. */
export function durationText(seconds: number): string | undefined {
  if (!Number.isFinite(seconds) || seconds < 1) return undefined;
  let left = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (parts.length > 0 || count > 0) parts.push(count === 0 ? '' : `${count} ${unit}`);
    if (parts.length === 2) break;
  }
  return parts.filter((part) => part !== '').join(' ');
}

/** What reading so many tasks takes, in calls and in time. */
export function costOfReading(tasks: number, rateLimit: number): string {
  const calls = `${tasks.toLocaleString('en')} ${tasks === 1 ? 'call' : 'calls'} of GetOtaTask`;
  const time = durationText(tasks / rateLimit);
  return time === undefined ? calls : `${calls}, about ${time} at RATE_LIMIT=${rateLimit}`;
}
