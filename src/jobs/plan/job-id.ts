/** Names of jobs. PURE. */
import { jobIdSchema } from './lines.ts';

/** Without what is taken for something else when read aloud or copied by hand. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const RANDOM_CHARACTERS = 6;

/** `2026-11-25-k3f9qa`. */
export function defaultJobId(now: number, random: () => number): string {
  const pick = (): string => ALPHABET[Math.floor(random() * ALPHABET.length)] ?? '2';
  const end = Array.from({ length: RANDOM_CHARACTERS }, pick).join('');
  return `${new Date(now).toISOString().slice(0, 10)}-${end}`;
}

export function isJobId(text: string): boolean {
  return jobIdSchema.safeParse(text).success;
}
