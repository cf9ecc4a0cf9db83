import type { Fix } from '@hushryd/contracts/fix';
import type { FixReading } from './reading.ts';
import { toFix } from './reading.ts';

/** A fix that is not yet durable, and the trip that it should count for. */
export interface KeptFix {
  fix: Fix;
  tripId?: string;
}

/**
 * One numbering of fixes: those still kept, and how far they were sent. Everything below the lowest kept seq is closed. Kept
 * fixes rise by seq; seqs that were dropped leave gaps.
 */
export class RunOfFixes {
  /** Allotted by the server; undefined until its first `welcome`. Fixes may be added before. */
  run: number | undefined;
  #kept: KeptFix[];
  #nextSeq: number;
  /** Kept fixes from this seq on wait to be sent. */
  #sendFrom = 1;

  constructor(run?: number, kept: KeptFix[] = []) {
    this.run = run;
    this.#kept = kept;
    this.#nextSeq = (kept.at(-1)?.fix.seq ?? 0) + 1;
  }

  get kept(): readonly KeptFix[] {
    return this.#kept;
  }

  /** What `from` says on the wire. */
  get lowestKept(): number {
    return this.#kept[0]?.fix.seq ?? this.#nextSeq;
  }

  add(reading: FixReading, tripId: string | undefined): number {
    const fix = toFix(this.#nextSeq, reading);
    this.#kept.push(tripId === undefined ? { fix } : { fix, tripId });
    this.#nextSeq += 1;
    return fix.seq;
  }

  /** Index in `kept` of the first fix that waits to be sent; `kept.length` if none does. */
  get firstWaiting(): number {
    return this.#indexOf(this.#sendFrom);
  }

  markSentThrough(seq: number): void {
    this.#sendFrom = seq + 1;
  }

  /** Send again everything kept from `seq` on. */
  rewindTo(seq: number): void {
    this.#sendFrom = Math.min(this.#sendFrom, seq);
  }

  /** Everything up to `seq` is durable or closed. @returns how many fixes were forgotten */
  forgetThrough(seq: number): number {
    return this.#kept.splice(0, this.#indexOf(seq + 1)).length;
  }

  /** One fix will never be stored. @returns was it still kept? */
  forget(seq: number): boolean {
    const index = this.#indexOf(seq);
    if (this.#kept[index]?.fix.seq !== seq) return false;
    this.#kept.splice(index, 1);
    return true;
  }

  /** Give all kept fixes to another run, numbered anew at its end. */
  moveInto(other: RunOfFixes): void {
    for (const { fix, tripId } of this.#kept.splice(0)) other.add(fix, tripId);
  }

  /** Place of the first kept fix at or above `seq`. */
  #indexOf(seq: number): number {
    let low = 0;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#kept[middle]?.fix.seq ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
