import type { Delivery, Place } from './fix-checks.ts';

// Cases of properties.test.ts that are tried every time, before those that are drawn: what failed once, or is rarely drawn and worth it. A
// failing case is printed as it can stand here.

export const readableCases: readonly { route: Place[]; node: number }[] = [
  // The ends of what coordinates are stored as.
  {
    route: [
      { lat: -89.9999999, lng: -179.9999999 },
      { lat: 89.9999999, lng: 179.9999999 },
      { lat: 0, lng: -0 },
    ],
    node: 0,
  },
];

export const sameStateCases: readonly {
  sent: Pick<Delivery, 'first' | 'count'>[];
  again: { index: number; over: Delivery['over'] }[];
  shuffle: number[];
  delayedTo: number;
  node: number;
}[] = [
  // All of it delayed: history, and no position at all.
  { sent: [{ first: 1, count: 5 }], again: [{ index: 0, over: 'http' }], shuffle: [], delayedTo: 20, node: 0 },
  // One frame that is half delayed comes before what is older, and again by every way.
  {
    sent: [
      { first: 3, count: 4 },
      { first: 1, count: 4 },
    ],
    again: [
      { index: 1, over: 'other socket' },
      { index: 0, over: 'http' },
    ],
    shuffle: [],
    delayedTo: 4,
    node: 1,
  },
];

export const memberCases: readonly { before: number; after: number; node: number; isRider: boolean }[] = [
  // The member is there before the first position.
  { before: 0, after: 4, node: 1, isRider: true },
];
