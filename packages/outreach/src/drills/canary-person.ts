import { ownerOf } from '../alerts/drill-person.ts';

/** Whose contact hears of the system's own drills. */
export const canaryId = 'sos-canary';

/** Is this a drill that the system makes by itself? @param personId of the alert */
export const isCanary = (personId: string): boolean => personId.startsWith('drill:') && ownerOf(personId) === canaryId;

/** There is one a minute of the canary's; those of people are few, and somebody may want to look at one. */
export const keepDrillMs = (personId: string): number => (isCanary(personId) ? 3_600_000 : 30 * 24 * 3_600_000);
