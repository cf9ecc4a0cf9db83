import type { Position } from '@hushryd/contracts/fix';
import type { ListFilter } from '../../routing/view.ts';
import { symbolOf } from '../vehicles/symbol.ts';
import type { Vehicle } from '../vehicles/vehicle-store.ts';

/** The positions that a filter and a text leave, by driver. Order does not depend on what moves, so that rows stay where they are. */
export function listVehicles(input: {
  vehicles: Iterable<Vehicle>;
  filter: ListFilter;
  text: string;
  serverNowMs: number;
}): Position[] {
  const text = input.text.trim().toLowerCase();
  const found: Position[] = [];
  for (const { position } of input.vehicles) {
    if (input.filter !== 'all' && symbolOf(position, input.serverNowMs).kind !== input.filter) continue;
    if (text !== '' && !matches(position, text)) continue;
    found.push(position);
  }
  return found.sort((one, other) => order.compare(one.driverId, other.driverId));
}

/** `taxi-9` comes before `taxi-10`. */
const order = new Intl.Collator('en', { numeric: true });

function matches({ driverId, tripId }: Position, text: string): boolean {
  return driverId.toLowerCase().includes(text) || (tripId?.toLowerCase().includes(text) ?? false);
}
