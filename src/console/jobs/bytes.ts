/** Sizes for people. PURE. */

const MB = 1_048_576;

/** `256 MB`. @param bytes whole megabytes, or less than one. */
export function roundBytes(bytes: number): string {
  return bytes >= MB ? `${Math.floor(bytes / MB)} MB` : `${bytes} bytes`;
}
