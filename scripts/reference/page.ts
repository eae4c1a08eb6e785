/** A page of docs/reference/, and the Markdown elements of such pages. */

export interface Page {
  /** Below docs/reference/. */
  readonly name: string;
  /** One sentence for the index, without its full stop. */
  readonly about: string;
  readonly text: () => string | Promise<string>;
}

/** A Markdown table; each row has as many cells as the header. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** A fenced block. */
export function block(text: string, language = ''): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}
