/** Reports filed in a folder on this machine. */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError, causeOf } from '../../errors.ts';
import { beginningOf } from '../../files/inspect.ts';
import { OutputFile } from '../../files/output-file.ts';
import { makePrivateFolder } from '../../files/private.ts';
import { shortPrintable } from '../../text/printable.ts';
import { isReport } from '../view/report.ts';
import type { Destination } from './file-report.ts';

/** @param place the folder of one filing; created if missing. */
export function openFolder(cwd: string, place: string, flag: string): Destination {
  return {
    place,
    put: async (name, _, chunks) => {
      try {
        makePrivateFolder(resolve(cwd, place));
      } catch (error) {
        throw new CommandError(
          `The report cannot be filed in ${shortPrintable(place, 300)}: ${causeOf(error)}. Name another folder with ${flag}.`,
        );
      }
      removePart(resolve(cwd, place, name));
      const file = new OutputFile({ title: 'The report', flag }, join(place, name), { cwd });
      try {
        for await (const chunk of chunks) file.write(chunk);
        file.place(true);
      } finally {
        file.discard();
      }
    },
    close: () => {},
  };
}

/** Restarts a filing that a kill interrupted, in its own place, which no other filing uses. Files of other origin stay. */
function removePart(path: string): void {
  const beginning = beginningOf(path);
  if (isReport(beginning) || beginning.startsWith('{\n  "manifest":')) rmSync(path);
}
