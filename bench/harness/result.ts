/** What a scenario gives: plain data, kept in results.json and shown as Markdown and SVG. */
import type { Stage } from './stage.ts';

/** A table as it is shown; the first column names the row. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What the project says it does, and what was seen. */
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
  /** Why it was not run; then there is nothing else. */
  readonly skipped?: string;
  /** The figures as measured, for whoever wants to reckon with them. */
  readonly figures?: unknown;
}

export interface ScenarioContext {
  readonly stage: Stage;
  /** Short, for developing: figures of no weight. */
  readonly quick: boolean;
  /** Another checkout to measure this one against. */
  readonly against: string | undefined;
  readonly say: (line: string) => void;
}

export type Scenario = (context: ScenarioContext) => Promise<ScenarioResult>;

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}%`;
}
