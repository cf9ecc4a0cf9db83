import { setTimeout } from 'node:timers/promises';

/** A measurement lasts a time, nothing else ends it. */
export const sleepMs = (ms: number): Promise<void> => setTimeout(ms);
