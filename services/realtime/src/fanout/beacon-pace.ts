import { beaconAfterMs } from '@hushryd/contracts/realtime/limits';

/** How often rooms and streams are asked whether a beacon is due. */
export const beaconEveryMs = 500;
/** So many times a topic was silent before its beacon comes. Counting spares the hot path a look at the clock. */
export const beaconAfterTicks = beaconAfterMs / beaconEveryMs;
