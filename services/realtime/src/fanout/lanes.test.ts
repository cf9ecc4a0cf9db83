import { encodePositionFrame } from '@hushryd/contracts/realtime/binary/position-frame';
import { beaconAfterMs } from '@hushryd/contracts/realtime/limits';
import fc from 'fast-check';
import t from 'tap';
import { anyPosition, createHubNode, tripIds } from '../../test/hub-node.ts';
import { beaconTurnMs } from './beacon-wheel.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const settings = { seed, numRuns: 1000 };
t.comment(`fast-check seed ${seed}; SEED=${seed} repeats it`);

type Node = ReturnType<typeof createHubNode>;
type Member = ReturnType<Node['enter']>;
/** Two sockets of one room to which the same happens: one reads JSON, the other the binary lane. */
interface Twins {
  readonly json: Member;
  readonly binary: Member;
}

const memberSteps = ['join', 'leave', 'fill', 'drain'] as const;
const anyStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('position' as const), position: anyPosition }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom(...memberSteps), member: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gone' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('beacons' as const) }) },
);
type Step = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never;

function change(node: Node, members: readonly Member[], kind: 'leave' | 'fill' | 'drain'): void {
  if (kind === 'leave') {
    for (const { subscription } of members) {
      node.hub.leave(subscription);
      node.slowConsumers.untrack(subscription);
    }
    return;
  }
  for (const { socket } of members) socket.bufferedBytes = kind === 'fill' ? 1001 : 0;
  node.slowConsumers.sweep();
  if (kind === 'drain') for (const { connection } of members) node.slowConsumers.drained(connection);
}

function beaconsAreDue(node: Node): void {
  for (let elapsedMs = 0; elapsedMs <= beaconAfterMs; elapsedMs += beaconTurnMs) node.hub.sendBeacons();
}

/** A room of twins, and its driver. */
function createTwinRoom(encodeBinary: typeof encodePositionFrame, tripId: string | undefined) {
  const node = createHubNode({ encodeBinary });
  const topic = tripId === undefined ? 'driver:driver-1' : `trip:${tripId}`;
  const room = node.hub.openRoom({ topic, driverId: 'driver-1', tripId });
  const members = new Map<number, Twins>();
  const everybody: Twins[] = [];

  function join(member: number): void {
    if (members.has(member)) return;
    const twins = { json: node.enter(room, false), binary: node.enter(room, true) };
    for (const { subscription } of Object.values(twins)) node.hub.goLive(subscription);
    members.set(member, twins);
    everybody.push(twins);
  }

  function changeTwins(member: number, kind: 'leave' | 'fill' | 'drain'): void {
    const twins = members.get(member);
    if (twins === undefined) return;
    change(node, Object.values(twins), kind);
    if (kind === 'leave') members.delete(member);
  }

  return {
    take(step: Step): void {
      if (step.kind === 'position') node.hub.sink.onPosition(step.position);
      else if (step.kind === 'gone') node.hub.sink.onGone('driver-1');
      else if (step.kind === 'beacons') beaconsAreDue(node);
      else if (step.kind === 'join') join(step.member);
      else changeTwins(step.member, step.kind);
    },
    isSame(): boolean {
      return everybody.every(({ json, binary }) => textOf(json.frames) === textOf(binary.frames));
    },
    isCounted(): boolean {
      const { json, binary } = room.listeners;
      const { location, beacon } = node.metrics.handedOver;
      return (
        json === binary && json + binary + room.slow.size === 2 * members.size && location + beacon === node.published
      );
    },
  };
}

const hearsTheSame = (encodeBinary: typeof encodePositionFrame) =>
  fc.property(fc.array(anyStep, { maxLength: 60 }), fc.constantFrom(...tripIds), (steps, tripId) => {
    const room = createTwinRoom(encodeBinary, tripId);
    for (const step of steps) room.take(step);
    return room.isSame() && room.isCounted();
  });

/** Frames as text, whatever the order of their fields. */
const textOf = (frames: object[]) =>
  JSON.stringify(frames, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)))
      : value,
  );

t.test('JSON and binary sockets of a room hear the same, also when they were slow', async () => {
  fc.assert(hearsTheSame(encodePositionFrame), settings);
});

t.test('control: a binary lane that says something else is found out', async (t) => {
  const wrong: [name: string, encode: typeof encodePositionFrame][] = [
    ['lat', (input) => encodePositionFrame({ ...input, position: { ...input.position, lat: 1.0000001 } })],
    ['state', (input) => encodePositionFrame({ ...input, position: { ...input.position, state: 'off' } })],
    ['trip', (input) => encodePositionFrame({ ...input, namesTrip: false })],
  ];
  for (const [name, encode] of wrong) t.ok(fc.check(hearsTheSame(encode), settings).failed, name);
});
