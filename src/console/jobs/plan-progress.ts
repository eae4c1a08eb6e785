/** The progress of a plan in the making, for its page. PURE, except for the notes. */
import type { PlanContext } from '../../jobs/plan/options.ts';
import { counted, number } from '../../text/numbers.ts';

/** Progress in the form of notes. */
export function progressOf(note: (text: string) => void): PlanContext['progress'] {
  let stage = { label: '', total: undefined as number | undefined, unit: 'row' };
  const show = (done: number): void => {
    const { label, total, unit } = stage;
    if (total === undefined) note(`${label}: ${number(done)}`);
    else if (unit === 'row') note(`${label}: ${number(done)} of ${counted(total, 'row')}`);
    else note(`${label}: ${total > 0 ? Math.min(100, Math.floor((done / total) * 100)) : 0} %`);
  };
  return {
    stage: (label, total, unit = 'row') => {
      stage = { label: label.trim(), total, unit };
      show(0);
    },
    update: show,
    stop: () => {},
  };
}
