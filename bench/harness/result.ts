/** The result of a scenario: plain data, kept in results.json and shown as Markdown and SVG. */
import type { Stage } from './stage.ts';

/** A table as it is shown; the first column names the row. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What the project promises, and what was measured. */
export interface Target {
  readonly claim: string;
  readonly seen: string;
  readonly met: boolean;
}

export interface Plot {
  /** Without `.svg`. */
  readonly name: string;
  readonly svg: string;
}

export interface ScenarioResult {
  /** One sentence on what was done. */
  readonly about: string;
  readonly tables: readonly Table[];
  readonly targets: readonly Target[];
  readonly plots?: readonly Plot[];
  /** Why it was not run; then all else is empty. */
  readonly skipped?: string;
  /** The figures as measured. */
  readonly figures?: unknown;
}

export interface ScenarioContext {
  readonly stage: Stage;
  /** A short run for development, whose figures mean nothing. */
  readonly quick: boolean;
  /** Another checkout to measure this one against. */
  readonly against: string | undefined;
  /** How often each contender is to be measured, where a scenario compares rounds; undefined: its own number. */
  readonly rounds: number | undefined;
  /** The one of its parts that is to be run, of a scenario that has such; undefined: all. */
  readonly only: string | undefined;
  readonly say: (line: string) => void;
}

export type Scenario = (context: ScenarioContext) => Promise<ScenarioResult>;

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}%`;
}
