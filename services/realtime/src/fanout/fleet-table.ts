import type { Position } from '@hushryd/contracts/fix';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import { compileFilter, isInBox } from '@hushryd/platform/topics/topic-filter';
import type { SlicedJob } from './sliced-jobs.ts';

/** The fleet of one moment, laid out for many filters to be held against it. */
export interface FleetTable {
  /** Take the fleet's positions anew. */
  fill(positions: Iterable<Position>): SlicedJob;
  /** Give the filter's vehicles to `take`, in slices. */
  select(filter: TopicFilter, take: (position: Position) => void): SlicedJob;
  /** Give up what is held. */
  clear(): void;
}

/** Rows between two questions for the time. */
const rowsAtOnce = 2048;

/**
 * Positions beside their coordinates as plain numbers: a box is held against 100,000 vehicles without touching one that lies outside.
 * `compileFilter` then judges those inside, so that it stays the one judge of what a filter means.
 *
 * Cost among 100,000 vehicles: filling 3.5 ms; a box with 1 % of them 0.6 ms, all of them 1.1 ms, a third by state 2.2 ms, a text 7 ms.
 * 24 bytes a vehicle, kept while an operator filters.
 */
export function createFleetTable(): FleetTable {
  let positions: Position[] = [];
  let coordinates = new Float64Array(0);

  return {
    *fill(fleet) {
      // Beside the old table, which is whole until the new one is.
      const next: Position[] = [];
      let places = new Float64Array(coordinates.length);
      for (const position of fleet) {
        const at = 2 * next.length;
        if (at + 2 > places.length) places = enlarge(places);
        places[at] = position.lat;
        places[at + 1] = position.lng;
        next.push(position);
        if (next.length % rowsAtOnce === 0) yield;
      }
      positions = next;
      coordinates = places;
    },

    *select(filter, take) {
      const { bbox } = filter;
      const fits = compileFilter(filter);
      const ids: [string, string | undefined] = ['', undefined];
      const thing = { lat: 0, lng: 0, state: '', ids };
      for (let row = 0; row < positions.length; row += 1) {
        if (row % rowsAtOnce === 0) yield;
        thing.lat = coordinates[2 * row] as number;
        thing.lng = coordinates[2 * row + 1] as number;
        if (bbox !== undefined && !isInBox(bbox, thing.lat, thing.lng)) continue;
        const position = positions[row] as Position;
        thing.state = position.state;
        ids[0] = position.driverId;
        ids[1] = position.tripId;
        if (fits(thing)) take(position);
      }
    },

    clear() {
      positions = [];
      coordinates = new Float64Array(0);
    },
  };
}

/** In steps that make copying rare. */
function enlarge(places: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(Math.max(2 * rowsAtOnce, 2 * places.length));
  larger.set(places);
  return larger;
}
