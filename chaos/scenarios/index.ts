/** The scenarios by name. */
import type { Scenario } from './scenario.ts';

export const scenarios: Readonly<Record<string, Scenario>> = {};
