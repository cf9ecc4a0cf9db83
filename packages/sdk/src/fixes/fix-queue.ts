import type { FixReading } from './reading.ts';
import type { KeptFix } from './run-of-fixes.ts';
import { RunOfFixes } from './run-of-fixes.ts';

/** At one fix a second 83 minutes; at any rate up to 41 a second the 120 s that a phone has to keep. */
export const defaultMaxKeptFixes = 5000;

/** A fix that left the queue without becoming durable. */
export interface LostFix {
  run: number | undefined;
  seq: number;
}

/**
 * All fixes that are not yet durable, run by run, oldest run first. The last run takes new fixes; older ones (superseded, or left
 * by an earlier start of the app) only drain.
 */
export class FixQueue {
  readonly #maxKept: number;
  readonly #onOverflow: (lost: LostFix) => void;
  #runs: RunOfFixes[] = [new RunOfFixes()];
  #keptCount = 0;

  constructor(input: { maxKept: number; onOverflow: (lost: LostFix) => void }) {
    this.#maxKept = input.maxKept;
    this.#onOverflow = input.onOverflow;
  }

  get runs(): readonly RunOfFixes[] {
    return this.#runs;
  }

  get current(): RunOfFixes {
    return this.#runs.at(-1) as RunOfFixes; // Never empty: see #prune.
  }

  get keptCount(): number {
    return this.#keptCount;
  }

  find(run: number): RunOfFixes | undefined {
    return this.#runs.find((candidate) => candidate.run === run);
  }

  /** @returns the fix's seq in the current run */
  add(reading: FixReading, tripId: string | undefined): number {
    const seq = this.current.add(reading, tripId);
    this.#keptCount += 1;
    this.#evict();
    return seq;
  }

  /** Number new fixes in another run from now on. */
  beginRun(run?: number): void {
    this.#runs.push(new RunOfFixes(run));
    this.#prune();
  }

  /** Put back what an earlier start of the app left behind; those runs only drain. */
  restore(runs: { run?: number; fixes: KeptFix[] }[]): void {
    const restored = runs.filter(({ fixes }) => fixes.length > 0).map(({ run, fixes }) => new RunOfFixes(run, fixes));
    this.#runs = [...restored, ...this.#runs];
    for (const { kept } of restored) this.#keptCount += kept.length;
    this.#evict();
  }

  forgetThrough(run: RunOfFixes, seq: number): number {
    const count = run.forgetThrough(seq);
    this.#keptCount -= count;
    this.#prune();
    return count;
  }

  forget(run: RunOfFixes, seq: number): boolean {
    const wasKept = run.forget(seq);
    if (wasKept) this.#keptCount -= 1;
    this.#prune();
    return wasKept;
  }

  /** The server does not know this run (any more): its fixes go into one that it allots anew, or into the current one. */
  abandon(run: RunOfFixes): void {
    if (run === this.current) this.#runs.push(new RunOfFixes());
    run.moveInto(this.current);
    this.#prune();
  }

  /** The oldest go first: they are the least useful, and `from` tells the server that they will not come. */
  #evict(): void {
    while (this.#keptCount > this.#maxKept) {
      const oldest = this.#runs.find(({ kept }) => kept.length > 0);
      if (!oldest) return;
      const { run, lowestKept: seq } = oldest;
      this.forget(oldest, seq);
      this.#onOverflow({ run, seq });
    }
  }

  #prune(): void {
    if (this.#runs.length === 1) return;
    const { current } = this;
    this.#runs = this.#runs.filter((run) => run === current || run.kept.length > 0);
  }
}
