import { beaconAfterMs } from '@hushryd/contracts/realtime/limits';

/** How often the wheel is to be turned. */
export const beaconTurnMs = 25;
/** Each topic is looked at once a round. */
const slotCount = 20;
const firstAfterTurns = beaconAfterMs / beaconTurnMs - slotCount;
const lastAfterTurns = 60_000 / beaconTurnMs;
/** So that phones which send every six seconds cost their riders one beacon a fix, and not two. */
const pauseGrowth = 4;

/** When a topic's next beacon is due, in turns: counting spares the hot path a look at the clock. */
export interface BeaconPace {
  slot: number;
  dueAtTurn: number;
  pauseTurns: number;
}

/** Of a topic that never spoke: it has nothing to repeat. */
export const createBeaconPace = (): BeaconPace => ({ slot: 0, dueAtTurn: Number.POSITIVE_INFINITY, pauseTurns: 0 });

interface Topic {
  readonly beacon: BeaconPace;
}

export interface BeaconWheel<T extends Topic> {
  add(topic: T): void;
  remove(topic: T): void;
  /** The topic said something: its beacon comes two seconds after the last of it, or up to half a second earlier. */
  spoke(topic: T): void;
  /**
   * To be called every `beaconTurnMs`. @returns the topics whose beacon is due now. The next one is after four times the pause, at
   * most a minute: a beacon may be lost as well.
   */
  turn(): T[];
}

/**
 * Says when topics that have fallen quiet repeat how far they are, and spreads them: thousands that fell quiet in the same moment,
 * after a deploy or a storm of connects, have their beacons in twenty portions and not all at once.
 *
 * Cost: a twentieth of the topics is looked at in each turn. 10,000 sockets whose topics fell quiet within 4 s: 10 to 28 ms of
 * sending in one piece twice a second before, now under 2 ms.
 */
export function createBeaconWheel<T extends Topic>(): BeaconWheel<T> {
  const slots = Array.from({ length: slotCount }, () => new Set<T>());
  let nextSlot = 0;
  let turnCount = 0;

  return {
    add(topic) {
      topic.beacon.slot = nextSlot;
      slots[nextSlot]?.add(topic);
      nextSlot = (nextSlot + 1) % slotCount;
    },
    remove: (topic) => void slots[topic.beacon.slot]?.delete(topic),
    spoke({ beacon }) {
      beacon.dueAtTurn = turnCount + firstAfterTurns;
      beacon.pauseTurns = firstAfterTurns;
    },
    turn() {
      turnCount += 1;
      const due: T[] = [];
      for (const topic of slots[turnCount % slotCount] as Set<T>) {
        const { beacon } = topic;
        if (turnCount < beacon.dueAtTurn) continue;
        beacon.pauseTurns = Math.min(lastAfterTurns, beacon.pauseTurns * pauseGrowth);
        beacon.dueAtTurn = turnCount + beacon.pauseTurns;
        due.push(topic);
      }
      return due;
    },
  };
}
