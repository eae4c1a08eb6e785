/** The last rate found, in a small file in `STATE_DIR`. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { customEndpoint } from '../../aws/endpoints.ts';
import { readSmallFile, replaceSmallFile } from '../../files/small-file.ts';
import { printableUrl } from '../../text/urls.ts';
import { type RateMemory, type RememberedRate, readRemembered, writeRemembered } from './memory.ts';

/** The file has about 80 bytes. */
const MAX_BYTES = 1_024;

/** One file for each API and queue: workers on another queue have another part of the API's limit. */
export class RateFile implements RateMemory {
  readonly path: string;

  /**
   * @param folder `STATE_DIR`, created when needed.
   * @param env names the API: endpoint, region, profile.
   * @param queueUrl also identifies the account.
   */
  constructor(folder: string, env: Readonly<Record<string, string | undefined>>, queueUrl: string) {
    this.path = join(folder, `rate-${keyOf(env, queueUrl)}.json`);
  }

  async load(): Promise<RememberedRate | undefined> {
    const seen = await readSmallFile(this.path, { maxBytes: MAX_BYTES, links: false });
    if ('absent' in seen) return undefined;
    if ('fault' in seen) throw new Error(seen.fault);
    return readRemembered(seen.text);
  }

  async save(rate: RememberedRate | undefined): Promise<void> {
    if (rate === undefined) await rm(this.path, { force: true });
    else await replaceSmallFile(this.path, writeRemembered(rate));
  }
}

/** Without secrets, even in the hash: a password in a URL is left out, and so are keys, which also change. */
function keyOf(env: Readonly<Record<string, string | undefined>>, queueUrl: string): string {
  const endpoint = customEndpoint(env, 'api');
  const parts = [
    endpoint === undefined ? '' : printableUrl(endpoint),
    env.AWS_REGION ?? '',
    env.AWS_USE_FIPS_ENDPOINT ?? '',
    env.AWS_PROFILE ?? '',
    printableUrl(queueUrl),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
