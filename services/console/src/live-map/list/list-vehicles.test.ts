import type { Position } from '@hushryd/contracts/fix';
import tap from 'tap';
import { standAt } from '../vehicles/glide.ts';
import { listVehicles } from './list-vehicles.ts';

const serverNowMs = 1_700_000_000_000;
const vehicle = (driverId: string, more: Partial<Position> = {}) => ({
  position: {
    driverId,
    state: 'available' as const,
    run: 1,
    seq: 1,
    recordedAtMs: serverNowMs,
    lat: 0,
    lng: 0,
    ...more,
  },
  glide: standAt({ x: 0, y: 0 }, undefined, 0),
});
const vehicles = [
  vehicle('taxi-10'),
  vehicle('taxi-9', { state: 'on_trip', tripId: 'T-77' }),
  vehicle('taxi-1', { recordedAtMs: serverNowMs - 90_000 }),
];
const list = (more: Partial<Parameters<typeof listVehicles>[0]>) =>
  listVehicles({ vehicles, filter: 'all', text: '', serverNowMs, ...more }).map(({ driverId }) => driverId);

tap.test('vehicles are listed by number, whatever moves', async (t) => {
  t.same(list({}), ['taxi-1', 'taxi-9', 'taxi-10']);
});

tap.test('a silent vehicle is silent, not free', async (t) => {
  t.same(list({ filter: 'available' }), ['taxi-10']);
  t.same(list({ filter: 'silent' }), ['taxi-1']);
});

tap.test('a text finds drivers and trips', async (t) => {
  t.same(list({ text: ' t-77 ' }), ['taxi-9']);
  t.same(list({ text: 'TAXI-1' }), ['taxi-1', 'taxi-10']);
});
