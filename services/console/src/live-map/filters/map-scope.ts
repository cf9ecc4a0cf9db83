import type { DriverState } from '@hushryd/contracts/fix';
import type { BoundingBox, TopicFilter } from '@hushryd/contracts/realtime/topic-filter';

/** What the operator wants to see of the fleet, wherever it is. */
export interface FleetChoice {
  states?: readonly DriverState[] | undefined;
  text?: string | undefined;
}

/** Which part of the fleet the server is asked for. */
export interface MapScope {
  /** Everything that fits the choice is here, not only what lies in view. */
  readonly isWhole: boolean;
  /** Something is left out by choice. */
  readonly isNarrowed: boolean;
  choose(choice: FleetChoice): void;
  /** The map looks at this part of the world. */
  look(box: BoundingBox): void;
  /** Ask for all of it once more, wherever it is; the map's next move narrows it again where it is too large. */
  widen(): void;
  /** All that the newest filter leaves is here: so many vehicles. */
  told(count: number): void;
}

/** Up to so many vehicles are kept whole: a list of all of them, moving once a second, and a drag of the map asks nothing. */
const wholeUpTo = 1_000;

/**
 * Small fleets are watched whole, large ones through the map's window.
 *
 * How large a fleet (or what is chosen of it) is shows the first answer: it is asked for without a box, which the server answers with
 * clusters where there are too many vehicles to send.
 */
export function createMapScope(setFilter: (filter: TopicFilter | undefined) => void): MapScope {
  let choice: TopicFilter = {};
  let box: BoundingBox | undefined;
  let size: 'unknown' | 'small' | 'large' = 'unknown';
  let asked = '{}';

  function ask(): void {
    const isNarrowed = Object.keys(choice).length > 0;
    let filter: TopicFilter | undefined = choice;
    if (size === 'large' && box !== undefined) filter = { ...choice, bbox: box };
    // Without a filter rounds come more often.
    else if (size === 'small' && !isNarrowed) filter = undefined;
    const next = JSON.stringify(filter) ?? '';
    if (next === asked) return;
    asked = next;
    setFilter(filter);
  }

  return {
    get isWhole() {
      return size !== 'large';
    },
    get isNarrowed() {
      return Object.keys(choice).length > 0;
    },
    choose({ states, text }) {
      const next = { ...(states?.length && { states: [...states] }), ...(text && { text }) };
      if (JSON.stringify(next) === JSON.stringify(choice)) return;
      choice = next;
      size = 'unknown';
      ask();
    },
    look(next) {
      box = next;
      if (size === 'large') ask();
    },
    widen() {
      box = undefined;
      size = 'unknown';
      ask();
    },
    told(count) {
      if (size === 'large') return;
      const found = count > wholeUpTo ? 'large' : 'small';
      if (found === size) return;
      size = found;
      ask();
    },
  };
}
