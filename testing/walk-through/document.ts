/**
 * A walk-through: Markdown whose console blocks contain commands and what they really printed. PURE.
 *
 * - A block fenced as `console` contains commands, each after `$ ` (continuation lines after `> `), and their output.
 *   A command that does not end with 0 is followed by `[exit code N]`.
 * - A comment `<!-- run` … `-->` contains set-up commands, one per line, of which nothing is shown.
 * - A comment `<!-- sandbox … -->` contains the flags of the sandbox that all commands run against.
 */

export interface Step {
  readonly command: string;
  /** The output according to the document; undefined for a command that is not shown. */
  readonly output: string | undefined;
}

export interface WalkThrough {
  readonly sandbox: readonly string[];
  readonly steps: readonly Step[];
  /** The document with the outputs of the shown steps replaced, in order. */
  readonly render: (outputs: readonly string[]) => string;
}

/** @throws Error for a document without a sandbox or with a block that never ends. */
export function readWalkThrough(text: string): WalkThrough {
  const sandbox = /^<!-- sandbox(.*)-->$/m.exec(text)?.[1]?.trim();
  if (sandbox === undefined) throw new Error('no line <!-- sandbox … --> with the flags of the sandbox');
  const steps: Step[] = [];
  /** Fixed text; between two pieces is the output of one shown step. */
  const pieces: string[] = [];
  let piece = '';
  const lines = text.split('\n');
  const keep = (line: string | undefined): void => {
    piece += `${line ?? ''}\n`;
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    keep(line);
    if (line === '<!-- run') {
      for (i++; lines[i] !== '-->'; i++) {
        if (i >= lines.length) throw new Error('a comment <!-- run never ends');
        keep(lines[i]);
        if (lines[i] !== '') steps.push({ command: lines[i] ?? '', output: undefined });
      }
      keep(lines[i]);
    } else if (line === '```console') {
      for (i++; lines[i] !== '```'; ) {
        if (i >= lines.length) throw new Error('a console block never ends');
        if (!lines[i]?.startsWith('$ ')) throw new Error(`output without a command: ${lines[i]}`);
        keep(lines[i]);
        let command = lines[i++]?.slice(2) ?? '';
        for (; lines[i]?.startsWith('> '); i++) {
          keep(lines[i]);
          command += `\n${lines[i]?.slice(2)}`;
        }
        let output = '';
        for (; lines[i] !== '```' && !lines[i]?.startsWith('$ ') && i < lines.length; i++)
          output += `${lines[i]}\n`;
        steps.push({ command, output });
        pieces.push(piece);
        piece = '';
      }
      keep('```');
    }
  }
  const last = piece.slice(0, -1);
  return {
    sandbox: sandbox === '' ? [] : sandbox.split(/\s+/),
    steps,
    render: (outputs) => pieces.map((before, i) => before + (outputs[i] ?? '')).join('') + last,
  };
}

/** The form of a step's output and exit code in the document. */
export function asWritten(output: string, exitCode: number): string {
  const ended = output === '' || output.endsWith('\n') ? output : `${output}\n`;
  return exitCode === 0 ? ended : `${ended}[exit code ${exitCode}]\n`;
}

/**
 * The output without what differs between runs: times, ids, ports, counts of any kind, the spaces that they shift,
 * and lines of progress.
 */
export function shapeOf(output: string): string {
  return (
    output
      // Lines of progress: a slow machine prints more of them.
      .replace(/^.* so far\n/gm, '')
      .replace(/^\S+: \d+%, .* rows ended; .*\n/gm, '')
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
      .replace(/\b(?=[a-f]*\d)[0-9a-f]{8}\b/g, '<id>')
      // The user and the machine.
      .replace(/[\w.-]+@[\w.-]+/g, '<who>')
      .replace(/\d[\d,.]*/g, '#')
      .replace(/ +/g, ' ')
      .replace(/…/g, '')
      .trimEnd()
  );
}
