/** Whether a job can be undone later. PURE. */
import { counted, number } from '../../text/numbers.ts';

/** In words. @param undoable how many of the `rows` to change have only known former values. */
export function undoNote(undoable: number, rows: number): string {
  if (undoable === rows) return 'possible: the values before are known';
  if (undoable === 0)
    return 'not possible: the values before are not known; plan with --refresh to read them';
  return `possible for ${number(undoable)} of ${counted(rows, 'row')}: of the others the values before are not known`;
}
