import type { BoundingBox, TopicFilter } from '@hushryd/contracts/realtime/topic-filter';

/** What a filter looks at; what a thing does not have, it is not judged by: an alert without a state reaches whoever filters by states. */
export interface Filterable {
  readonly lat?: number | undefined;
  readonly lng?: number | undefined;
  readonly state?: string | undefined;
  /** Ids by which people look for it. */
  readonly ids: readonly (string | undefined)[];
}

/** The filter as a question. Cost: a few comparisons a call, nothing allocated. */
export function compileFilter({ bbox, states, text }: TopicFilter): (thing: Filterable) => boolean {
  const wantedStates = states && new Set(states);
  const wantedText = text?.toLowerCase();
  return (thing) => {
    if (wantedStates !== undefined && thing.state !== undefined && !wantedStates.has(thing.state)) return false;
    if (bbox !== undefined && thing.lat !== undefined && thing.lng !== undefined) {
      if (!isInBox(bbox, thing.lat, thing.lng)) return false;
    }
    if (wantedText === undefined) return true;
    return thing.ids.every((id) => id === undefined) || thing.ids.some((id) => id?.toLowerCase().includes(wantedText));
  };
}

/** An event by the names that all events share. */
export function toFilterable(event: unknown): Filterable {
  const { lat, lng, state, tripId, driverId, userId, alertId } = event as Record<string, never>;
  return { lat, lng, state, ids: [tripId, driverId, userId, alertId] };
}

/** @param box `west` above `east` spans the date line */
export function isInBox({ south, west, north, east }: BoundingBox, lat: number, lng: number): boolean {
  if (lat < south || lat > north) return false;
  return west <= east ? lng >= west && lng <= east : lng >= west || lng <= east;
}
