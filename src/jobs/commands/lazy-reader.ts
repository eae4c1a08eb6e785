/** A reader of OTA tasks that is made when it is first used. */
import type { OtaReader } from '../../ota/reader.ts';

export type LazyReader = Pick<OtaReader, 'get' | 'list' | 'close'>;

export function lazyReader(make: () => Promise<LazyReader>): LazyReader {
  let made: Promise<LazyReader> | undefined;
  const reader = (): Promise<LazyReader> => {
    made ??= make();
    return made;
  };
  return {
    get: async (identifier) => (await reader()).get(identifier),
    list: async (token) => (await reader()).list(token),
    close: async () => (await made)?.close(),
  };
}
