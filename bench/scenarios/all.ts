import type { Scenario } from '../harness/scenario.ts';
import { nearby } from './nearby.ts';

/** In the order of the table. */
export const scenarios: readonly Scenario[] = [nearby];
