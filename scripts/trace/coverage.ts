/** What ran in a process, by V8's precise coverage; and calls into one module, by breakpoints. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Inspector } from '../../testing/processes/inspector.ts';
import type { Calls } from './calls.ts';

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly functionName: string;
      readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[];
    }[];
  }[];
}

interface Frame {
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number };
}

export class CallCounter {
  readonly #inspector: Inspector;
  readonly #root: string;
  readonly #joining: string;
  /** Start and end of the joining module's functions that ever ran. */
  readonly #joiningRanges = new Map<number, number>();
  readonly #sources = new Map<string, string>();

  /**
   * @param root the checkout whose `src/` counts.
   * @param joining the joining module, by its path from there.
   */
  constructor(inspector: Inspector, root: string, joining: string) {
    this.#inspector = inspector;
    this.#root = pathToFileURL(`${root.replace(/\/$/, '')}/`).href;
    this.#joining = joining;
  }

  /** Calls of functions of `src/` while `during` runs. */
  async count(during: () => Promise<unknown>): Promise<Calls> {
    const coverage = { callCount: true, detailed: false, allowTriggeredUpdates: false };
    await this.#inspector.post('Profiler.enable');
    await this.#inspector.post('Profiler.startPreciseCoverage', coverage);
    await during();
    const { result } = await this.#inspector.post<Coverage>('Profiler.takePreciseCoverage');
    await this.#inspector.post('Profiler.stopPreciseCoverage');
    const calls = new Map<string, number>();
    for (const { url, functions } of result) {
      if (!url.startsWith(`${this.#root}src/`)) continue;
      for (const { functionName, ranges } of functions) {
        const [range] = ranges;
        // The range that begins at 0 is the module itself.
        if (range === undefined || range.count === 0 || range.startOffset === 0) continue;
        const file = url.slice(this.#root.length);
        if (file === this.#joining) this.#joiningRanges.set(range.startOffset, range.endOffset);
        const key = `${file} ${functionName || '(anonymous)'}:${this.#lineAt(url, range.startOffset)}`;
        calls.set(key, (calls.get(key) ?? 0) + range.count);
      }
    }
    return calls;
  }

  /**
   * Stops at each call of a function of the joining module whose caller is outside it, for functions that
   * ran in an earlier count.
   * @returns a function that takes the calls so far and starts again.
   */
  async watchEntries(): Promise<() => Calls> {
    const scriptId = await this.#setBreakpoints();
    let calls = new Map<string, number>();
    this.#inspector.on('Debugger.paused', ({ callFrames: [frame, caller] }: { callFrames: Frame[] }) => {
      if (frame !== undefined && caller?.location.scriptId !== scriptId) {
        const key = `${this.#joining} ${frame.functionName}:${frame.location.lineNumber + 1}`;
        calls.set(key, (calls.get(key) ?? 0) + 1);
      }
      this.#inspector.post('Debugger.resume').catch(() => undefined);
    });
    return () => {
      const taken = calls;
      calls = new Map();
      return taken;
    };
  }

  /** Sets a breakpoint on the first statement of each function. @returns the module's script id. */
  async #setBreakpoints(): Promise<string> {
    const scripts = new Map<string, string>();
    this.#inspector.on('Debugger.scriptParsed', (script: { scriptId: string; url: string }) => {
      scripts.set(script.url, script.scriptId);
    });
    await this.#inspector.post('Debugger.enable');
    const scriptId = scripts.get(this.#root + this.#joining);
    if (scriptId === undefined) throw new Error(`the worker has not loaded ${this.#joining}`);
    const { scriptSource } = await this.#inspector.post<{ scriptSource: string }>(
      'Debugger.getScriptSource',
      { scriptId },
    );
    const at = (offset: number) => {
      const before = scriptSource.slice(0, offset).split('\n');
      return { scriptId, lineNumber: before.length - 1, columnNumber: before.at(-1)?.length ?? 0 };
    };
    for (const [startOffset, endOffset] of this.#joiningRanges) {
      const { locations } = await this.#inspector.post<{ locations: object[] }>(
        'Debugger.getPossibleBreakpoints',
        { start: at(startOffset), end: at(endOffset), restrictToFunction: true },
      );
      const [location] = locations;
      if (location !== undefined) await this.#inspector.post('Debugger.setBreakpoint', { location });
    }
    return scriptId;
  }

  /**
   * The line of a file, from 1, in which a function begins: type stripping keeps the positions of all characters.
   */
  #lineAt(url: string, offset: number): number {
    const text = this.#sources.get(url) ?? readFileSync(new URL(url), 'utf8');
    this.#sources.set(url, text);
    return text.slice(0, offset).split('\n').length;
  }
}
