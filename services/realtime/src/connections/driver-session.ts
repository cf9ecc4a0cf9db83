import type { LocFrame } from '@hushryd/contracts/realtime/client-frames';
import { type AcceptMemory, createAcceptMemory } from '@hushryd/tracking/accept-fix';

/** One run that the phone of this socket numbers its fixes in. */
export interface DriverRun {
  readonly run: number;
  readonly memory: AcceptMemory;
  /** Highest seq that was answered with `recv`. */
  receivedSeq: number;
  /** Highest seq that the phone was told is durable. */
  durableSeq: number;
  /** When to look again by ourselves how far the run is durable; monotonic ms, 0 while nothing is owed. */
  recheckAtMs: number;
  recheckDelayMs: number;
  /** The newer run that moves the position. */
  supersededBy: number;
  /** A newer run was offered because `supersededBy` fell silent. */
  isOfferMade: boolean;
  lookForSilenceAtMs: number;
}

/** What a driver's socket is about, from its first `hello`. */
export interface DriverSession {
  readonly runs: Map<number, DriverRun>;
  /** Frames that wait for a trip's access record, in order; what comes after them waits too. */
  readonly waiting: LocFrame[];
  /** Trips that fixes named without right; each is answered once. */
  readonly refusedTrips: Set<string>;
  /** What the phone was last asked to keep to; 0: its own. */
  cadenceMs: number;
}

/** A phone has its own run, at most a few older ones that still drain, and an offered one. */
const maxRuns = 8;

export function createDriverSession(): DriverSession {
  return { runs: new Map(), waiting: [], refusedTrips: new Set(), cadenceMs: 0 };
}

/** Remember a run that was allotted to this driver; the one used least recently makes room. */
export function openRun(session: DriverSession, run: number, durableSeq: number): void {
  const known = session.runs.get(run);
  if (known !== undefined) {
    known.durableSeq = Math.max(known.durableSeq, durableSeq);
    return;
  }
  if (session.runs.size >= maxRuns) session.runs.delete(session.runs.keys().next().value as number);
  session.runs.set(run, {
    run,
    memory: createAcceptMemory(),
    receivedSeq: 0,
    durableSeq,
    recheckAtMs: 0,
    recheckDelayMs: 0,
    supersededBy: 0,
    isOfferMade: false,
    lookForSilenceAtMs: 0,
  });
}
