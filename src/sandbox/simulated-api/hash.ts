/**
 * A hash that differs widely for texts that differ in one character. Values are computed from ids instead of being stored.
 * PURE.
 */

/** FNV-1a, 32 bits: a whole number from 0. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * From 0 to 1, also spread for texts that differ only in their last character: FNV's last step hardly reaches the upper
 * bits.
 */
export function fractionOf(text: string): number {
  let hash = hashOf(text);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}
