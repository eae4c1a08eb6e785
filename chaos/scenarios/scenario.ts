/** One outage, run with real processes. */
export interface Scenario {
  /** What it must show, in one line. */
  readonly about: string;
  readonly run: (options: ScenarioOptions) => Promise<Shown>;
}

export interface ScenarioOptions {
  readonly seed: number;
  readonly say: (line: string) => void;
}

export interface Shown {
  /** One line of figures. */
  readonly shown: string;
  /** One line for each broken promise. */
  readonly broken: readonly string[];
}
