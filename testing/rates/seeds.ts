/** A number of seeds from a command line. @throws Error if it is none. */
export function readSeeds(text: string): number {
  const seeds = Number(text);
  if (Number.isInteger(seeds) && seeds >= 1) return seeds;
  throw new Error(`${text}: must be a number of seeds from 1, as in 20`);
}
