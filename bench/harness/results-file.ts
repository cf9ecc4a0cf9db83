import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dataRoot } from '@hushryd/platform/engines/data-root';
import type { Machine } from './machine.ts';
import type { Measurement } from './measurement.ts';

export type StoredMeasurement = Measurement & { readonly machine: Machine };

/** `bench/baselines/latest.json` of this checkout, from sources and from dist alike. */
export const latestFile = (): string => join(dirname(dataRoot()), 'bench/baselines/latest.json');

/**
 * Write the figures. Scenarios that did not run keep theirs, in the order of `scenarioOrder`; each entry says on which machine it
 * was measured.
 */
export async function writeResults(input: {
  file: string;
  measurements: readonly Measurement[];
  machine: Machine;
  scenarioOrder: readonly string[];
}): Promise<void> {
  const fresh = input.measurements.map((measurement) => ({ ...measurement, machine: input.machine }));
  const measured = new Set(fresh.map(({ scenario }) => scenario));
  const kept = (await readResults(input.file)).filter(({ scenario }) => !measured.has(scenario));
  const place = ({ scenario }: StoredMeasurement) => input.scenarioOrder.indexOf(scenario);
  const all = [...kept, ...fresh].filter((entry) => place(entry) >= 0).sort((a, b) => place(a) - place(b));
  await mkdir(dirname(input.file), { recursive: true });
  await writeFile(input.file, toJson(all));
}

async function readResults(file: string): Promise<StoredMeasurement[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as StoredMeasurement[];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new Error(`${file} cannot be read as figures of an earlier run: remove it or name another file.`, {
      cause: error,
    });
  }
}

/** Figures as the baselines hold them, with five digits: a measurement knows no more. */
export const toJson = (entries: readonly StoredMeasurement[]): string =>
  `${JSON.stringify(entries.map(roundNumbers), undefined, 2)}\n`;

function roundNumbers(measurement: StoredMeasurement): StoredMeasurement {
  return JSON.parse(JSON.stringify(measurement), (_, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value,
  ) as StoredMeasurement;
}
