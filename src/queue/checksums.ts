/** The MD5 sum of attributes, which SQS reports so that a sender or receiver can verify them. */
import { createHash } from 'node:crypto';
import type { MessageAttribute } from '../message/message.ts';

/** Source: SQS developer guide, "Calculating the MD5 message digest for message attributes". undefined if MD5 is unavailable. */
export function attributesChecksum(
  attributes: Readonly<Record<string, MessageAttribute>>,
): string | undefined {
  try {
    const md5 = createHash('md5');
    const add = (bytes: string | Uint8Array): void => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.byteLength);
      md5.update(length).update(bytes);
    };
    // Names are ASCII.
    for (const name of Object.keys(attributes).sort()) {
      const { dataType = '', stringValue, binaryValue } = attributes[name] ?? {};
      add(name);
      add(dataType);
      md5.update(Uint8Array.of(binaryValue === undefined ? 1 : 2));
      add(binaryValue ?? stringValue ?? '');
    }
    return md5.digest('hex');
  } catch {
    return undefined;
  }
}
