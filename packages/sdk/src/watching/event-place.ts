/** Where one is in a topic's event log; epoch '' and offset 0: before its beginning, since there was none. */
export interface EventPlace {
  epoch: string;
  offset: number;
}

/**
 * What a place says beside the place known so far. Pure.
 * @param after offset of the event told before it, where a filter left some out
 */
export function comparePlace(
  known: EventPlace | undefined,
  seen: EventPlace,
  after = seen.offset - 1,
): 'first' | 'repeated' | 'next' | 'gap' {
  if (!known) return 'first';
  if (known.epoch === '' && seen.epoch !== '') return after === 0 ? 'next' : 'gap';
  if (known.epoch !== seen.epoch) return 'gap';
  if (seen.offset <= known.offset) return 'repeated';
  return after <= known.offset ? 'next' : 'gap';
}
