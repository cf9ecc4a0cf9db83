import type { Machine } from './machine.ts';
import type { Measurement } from './measurement.ts';
import { formatTable } from './print-table.ts';

/** The table, and below it what its figures do not say by themselves. */
export function formatReport(input: {
  measurements: readonly Measurement[];
  notes: readonly string[];
  failures: readonly string[];
  machine: Machine;
  rounds: number;
  warning: string | undefined;
}): string {
  const { cores, node, redis, database } = input.machine;
  const engines = [redis, database].filter(Boolean).join(', ');
  const sentences = [
    ...input.notes,
    ...input.failures,
    ...(input.warning === undefined ? [] : [input.warning]),
    `${cores} cores, Node ${node}, ${engines}; medians of ${input.rounds} rounds.`,
  ];
  return `${formatTable(input.measurements)}\n\n${sentences.join('\n')}`;
}
