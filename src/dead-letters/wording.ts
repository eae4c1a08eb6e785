/** Numbers, times and tables for a person at 80 columns. Nothing that comes out can control a terminal. PURE. */
import { printable } from '../text/printable.ts';

export { WIDTH, wrap } from '../text/layout.ts';

export function number(value: number): string {
  return value.toLocaleString('en');
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** `2026-11-23 02:10:07`, UTC. */
export function instant(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('T', ' ').slice(0, 19);
}

/** Printable and at most so wide, cut with an ellipsis. */
export function cutTo(text: string, width: number): string {
  const safe = printable(text.slice(0, 4 * width));
  const characters = [...safe];
  return characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : safe;
}
