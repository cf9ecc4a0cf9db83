import type { Progress } from './progress.ts';

/**
 * Measure every contender once a round, in turn, so that whatever else the machine does meets all of them. Every other round goes
 * backwards: who runs second finds warmer caches.
 *
 * @returns each contender's samples, by round
 */
export async function interleave<Name extends string, Sample>({
  rounds,
  contenders,
  progress,
  describe,
}: {
  rounds: number;
  contenders: Record<Name, (round: number) => Promise<Sample>>;
  progress: Progress;
  /** What to tell of a sample: `61,204 fixes/s`. */
  describe: (sample: Sample) => string;
}): Promise<Record<Name, Sample[]>> {
  const names = Object.keys(contenders) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]])) as Record<Name, Sample[]>;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      progress(`round ${round + 1} of ${rounds}, ${name} …`);
      const sample = await contenders[name](round);
      samples[name].push(sample);
      progress(`round ${round + 1} of ${rounds}, ${name}: ${describe(sample)}`);
    }
  }
  return samples;
}
