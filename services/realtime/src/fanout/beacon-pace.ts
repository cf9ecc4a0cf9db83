import { beaconAfterMs } from '@hushryd/contracts/realtime/limits';

/** How often rooms and streams are asked whether a beacon is due. */
export const beaconEveryMs = 500;
const firstAfterTicks = beaconAfterMs / beaconEveryMs;
const lastAfterTicks = 60_000 / beaconEveryMs;

/** When a topic's next beacon is due, in ticks: counting spares the hot path a look at the clock. */
export interface BeaconPace {
  dueAtTick: number;
  pauseTicks: number;
}

export const createBeaconPace = (): BeaconPace => ({ dueAtTick: Number.POSITIVE_INFINITY, pauseTicks: 0 });

/** The topic said something: its beacon comes two seconds after the last of it. */
export function noteSpoken(pace: BeaconPace, tick: number): void {
  pace.dueAtTick = tick + firstAfterTicks;
  pace.pauseTicks = firstAfterTicks;
}

/** Is a beacon due? Then the next one is after twice the pause, at most a minute: a beacon may be lost as well. */
export function takeDue(pace: BeaconPace, tick: number): boolean {
  if (tick < pace.dueAtTick) return false;
  pace.pauseTicks = Math.min(lastAfterTicks, pace.pauseTicks * 2);
  pace.dueAtTick = tick + pace.pauseTicks;
  return true;
}
