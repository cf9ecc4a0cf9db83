/** The kinds of topic that have a column of their own. */
export const topicKinds = [
  { kind: 'trip', name: 'Trips' },
  { kind: 'driver', name: 'Drivers' },
  { kind: 'nearby', name: 'Nearby' },
  { kind: 'user', name: 'People' },
  { kind: 'admin:map', name: 'Map' },
  { kind: 'admin:sos', name: 'SOS' },
] as const;

/** Subscriptions of kinds that came after this console, so that a row's figures still make its sum. Pure. */
export function countOtherKinds(subscriptions: Readonly<Record<string, number>>): number {
  return Object.entries(subscriptions)
    .filter(([kind]) => !topicKinds.some((known) => known.kind === kind))
    .reduce((sum, [, count]) => sum + count, 0);
}
