/** Reports filed in a folder of this machine. */
import { join, resolve } from 'node:path';
import { CommandError, causeOf } from '../../errors.ts';
import { OutputFile } from '../../files/output-file.ts';
import { makePrivateFolder } from '../../files/private.ts';
import { shortPrintable } from '../../text/printable.ts';
import type { Destination } from './file-report.ts';

/** @param place the folder of one filing: made if it is not there. */
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
