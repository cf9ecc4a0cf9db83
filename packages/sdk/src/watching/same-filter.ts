import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';

/** Do they ask for the same? However it is written: an app may put its filter together anew for each watch. None and an empty one both ask for all. */
export function isSameFilter(one: TopicFilter | undefined, other: TopicFilter | undefined): boolean {
  return describe(one) === describe(other);
}

function describe({ bbox, states, text }: TopicFilter = {}): string {
  return JSON.stringify([
    bbox && [bbox.south, bbox.west, bbox.north, bbox.east],
    states && [...new Set(states)].sort(),
    text?.toLowerCase(),
  ]);
}
