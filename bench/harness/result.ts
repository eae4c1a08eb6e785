/** The result of a scenario: plain data, stored in results.json and shown as Markdown and SVG. */
import type { Stage } from './stage.ts';

/** A table; the first column names the row. */
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
  /** Why it was not run; all other fields are then empty. */
  readonly skipped?: string;
  /** The figures as measured. */
  readonly figures?: unknown;
}

export interface ScenarioContext {
  readonly stage: Stage;
  /** A short run for development, whose figures are meaningless. */
  readonly quick: boolean;
  /** Another checkout to compare this one with. */
  readonly against: string | undefined;
  /**
   * How often each contender is measured, in a scenario that compares rounds; undefined: the scenario's own
   * number.
   */
  readonly rounds: number | undefined;
  /** The only part to run, in a scenario that has parts; undefined: all. */
  readonly only: string | undefined;
  readonly say: (line: string) => void;
}

export type Scenario = (context: ScenarioContext) => Promise<ScenarioResult>;

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}%`;
}
