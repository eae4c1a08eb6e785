/**
 * Keeps the bundle's text at one byte per character. A plugin for Rolldown: V8 keeps a module's text as long as its functions may be
 * compiled, with two bytes per character if any character needs two.
 */
import type { Plugin } from 'rolldown';

/** Beyond Latin-1. */
const BEYOND = /[^\0-\xff]/g;
/** A template whose raw text is read: there, an escape would count as six characters. */
const RAW = /\.raw`[^`]*[^\0-\xff]/;

export function oneByte(): Plugin {
  return {
    name: 'one-byte',
    generateBundle(_options, bundle) {
      for (const part of Object.values(bundle)) {
        if (part.type !== 'chunk' || part.code.search(BEYOND) < 0) continue;
        if (RAW.test(part.code))
          throw new Error(`a raw template of ${part.fileName} has a character beyond Latin-1`);
        // Texts, templates, regular expressions and names keep their meaning; comments do not matter.
        part.code = part.code.replaceAll(BEYOND, escapeOf);
        // Elsewhere an escape would be a syntax error, which this detects.
        this.parse(part.code);
      }
    },
  };
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
