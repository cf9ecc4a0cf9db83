/** Where one is in a topic's event log. */
export interface EventPlace {
  epoch: string;
  offset: number;
}

/** What a place says beside the place known so far. Pure. */
export function comparePlace(known: EventPlace | undefined, seen: EventPlace): 'first' | 'repeated' | 'next' | 'gap' {
  if (!known) return 'first';
  if (known.epoch !== seen.epoch) return 'gap';
  if (seen.offset <= known.offset) return 'repeated';
  return seen.offset === known.offset + 1 ? 'next' : 'gap';
}
