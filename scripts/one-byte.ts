/**
 * Keeps the bundle's text within one byte a character. A plugin for Rolldown: V8 holds a module's text as long as its functions may be
 * compiled, and two bytes for each character of it where a single one needs them.
 */
import type { Plugin } from 'rolldown';

/** Beyond Latin-1. */
const BEYOND = /[^\0-\xff]/g;
/** A template whose raw text is read, where an escape would be six characters. */
const RAW = /\.raw`[^`]*[^\0-\xff]/;

export function oneByte(): Plugin {
  return {
    name: 'one-byte',
    generateBundle(_options, bundle) {
      for (const part of Object.values(bundle)) {
        if (part.type !== 'chunk' || part.code.search(BEYOND) < 0) continue;
        if (RAW.test(part.code))
          throw new Error(`a raw template of ${part.fileName} has a character beyond Latin-1`);
        // The same character in texts, templates, regular expressions and names; comments are anybody's.
        part.code = part.code.replaceAll(BEYOND, escapeOf);
        // Between them it would be none.
        this.parse(part.code);
      }
    },
  };
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
