import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import type { EngineFaults } from '@hushryd/platform/engines/engine';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import { ask as askApi } from './ask-api.ts';
import { openPlainSocket, type PlainSocket, patiently } from './plain-socket.ts';
import { frame, opcodes, openRawWebSocket, type RawWebSocket } from './raw-websocket.ts';
import { ask, type Case, fixAt, loc, must, startTrip } from './room-checks.ts';
import type { System } from './system.ts';

// What must hold when somebody may listen no longer (F30): it is over in time, and nothing is heard afterwards, however much there is to
// hear. The tests ask it of the nodes that ship, the controls of broken ones.

/** The bound. */
const overWithinMs = 5000;
const moveEveryMs = 100;
/** So many positions are told to others afterwards, each of which could have been heard. */
const positionsAfterwards = 10;
const signedOutInTurn = 3;
const place = { lat: 41.15, lng: -8.61 };

/** A driver who moves all the time, whether he is answered or not. */
export async function keepMoving(system: System, { url, ids }: { url: string; ids: Case }) {
  const phone = await openPlainSocket(url, system.token(ids.driverId, 'driver'));
  const { run } = await ask(phone, { type: 'hello' }, 'welcome');
  let seq = 0;
  const timer = setInterval(() => {
    seq += 1;
    phone.send(loc(run, [fixAt(seq, place)], ids.tripId));
  }, moveEveryMs);
  // A check that fails stops nobody.
  timer.unref();
  return {
    /** Resolves when so many more of his fixes were taken. */
    async goOn(count: number): Promise<void> {
      const taken = phone.heard('recv').length + count;
      await waitFor(() => phone.heard('recv').length >= taken, { withinMs: 30_000, what: `${count} more fixes` });
    },
    async stop(): Promise<void> {
      clearInterval(timer);
      await phone.close();
    },
  };
}

/** Opens a socket that follows the trip, and waits for its first position. */
export async function follow(system: System, url: string, userId: string, tripId: string): Promise<PlainSocket> {
  const socket = await openPlainSocket(url, system.token(userId, 'rider'));
  await ask(socket, { type: 'sub', topic: tripTopic(tripId) }, 'subscribed');
  await socket.waitFor('position');
  return socket;
}

/** The same beneath the websocket protocol, where also a frame behind the close frame is seen. */
export async function followRaw(system: System, url: string, userId: string, tripId: string): Promise<RawWebSocket> {
  const socket = await openRawWebSocket(url, system.token(userId, 'rider'));
  const sub = JSON.stringify({ type: 'sub', topic: tripTopic(tripId) });
  socket.write(frame({ opcode: opcodes.text, payload: Buffer.from(sub) }));
  await waitFor(() => socket.texts.some((text) => text.includes('"type":"position"')), {
    withinMs: 30_000,
    what: `a position for ${userId}`,
  });
  return socket;
}

/** @throws Error where the topic is still spoken of after `unsubscribed` */
async function mustHearNothingMore(socket: PlainSocket, topic: string): Promise<void> {
  // What was sent before the pong has come before it.
  await ask(socket, { type: 'ping' }, 'pong');
  const isOf = (heard: object) => 'topic' in heard && heard.topic === topic;
  const endedAt = socket.frames.findIndex((heard) => heard.type === 'unsubscribed' && isOf(heard));
  const after = socket.frames.slice(endedAt + 1).filter(isOf);
  must(after.length === 0, () => `${after.length} frames after the end, the first ${JSON.stringify(after[0])}`);
}

/**
 * A passenger is taken off a trip, then the trip ends; its driver moves all the time.
 *
 * @param urls of the nodes where the driver, the passenger who stays and the one who leaves are
 * @param redis hangs from when all listen until both are let go: nobody hears of positions and events, but that it is over they must
 * @throws Error where one of them was let go too late, or heard anything afterwards
 */
export async function checkRemoval(
  system: System,
  {
    urls,
    ids,
    redis,
  }: {
    urls: Record<'driver' | 'stays' | 'leaves', string>;
    ids: Case;
    redis?: Pick<EngineFaults, 'pause' | 'resume'>;
  },
): Promise<void> {
  const operator = system.http('operator', 'operator');
  const leaverId = `leaver-${ids.tripId}`;
  const topic = tripTopic(ids.tripId);
  await startTrip(system, ids, [ids.riderId, leaverId]);
  const driver = await keepMoving(system, { url: urls.driver, ids });
  const stays = await follow(system, urls.stays, ids.riderId, ids.tripId);
  const leaves = await follow(system, urls.leaves, leaverId, ids.tripId);

  redis?.pause();
  await patiently(() => operator.putPassengers(ids.tripId, [ids.riderId]));
  await leftInTime(leaves, topic);
  if (redis === undefined) {
    const told = stays.heard('position').length + positionsAfterwards;
    await waitFor(() => stays.heard('position').length >= told, { withinMs: 30_000, what: 'positions for who stayed' });
  }
  await mustHearNothingMore(leaves, topic);
  must(stays.heard('unsubscribed').length === 0, () => 'who stays was sent off as well');

  await patiently(() => operator.endTrip(ids.tripId));
  await leftInTime(stays, topic);
  const lastEvent = stays.heard('event').at(-1)?.event.name;
  must(redis !== undefined || lastEvent === 'trip.ended', () => `the last event was ${lastEvent}`);
  redis?.resume();
  await driver.goOn(positionsAfterwards);
  for (const socket of [leaves, stays]) await mustHearNothingMore(socket, topic);
  await Promise.all([driver.stop(), stays.close(), leaves.close()]);
}

const leftInTime = (socket: PlainSocket, topic: string) =>
  within(
    socket.waitFor('unsubscribed', (heard) => heard.topic === topic),
    { withinMs: overWithinMs, what: 'the word that it is over' },
  );

/**
 * Passengers are signed out one after the other, each right after the last one's sockets have ended: whoever looks now and then has just
 * looked. The driver moves meanwhile, and another passenger listens.
 *
 * @param urls of nodes; each passenger has a socket on each
 * @param beforehand done when everybody listens
 * @returns for each passenger, milliseconds from the answer to the sign-out to the end of the last socket
 * @throws Error where a socket lived on, or heard anything behind its close frame
 */
export async function checkSignOuts(
  system: System,
  { urls, ids, beforehand }: { urls: readonly string[]; ids: Case; beforehand?: () => void },
): Promise<number[]> {
  const [url] = urls as [string];
  const leaverIds = Array.from({ length: signedOutInTurn }, (_, index) => `leaver-${index}-${ids.tripId}`);
  await startTrip(system, ids, [ids.riderId, ...leaverIds]);
  const driver = await keepMoving(system, { url, ids });
  const stays = await follow(system, url, ids.riderId, ids.tripId);
  const follows = (userId: string) => Promise.all(urls.map((each) => followRaw(system, each, userId, ids.tripId)));
  const leavers = await Promise.all(leaverIds.map(async (userId) => ({ userId, sockets: await follows(userId) })));
  beforehand?.();

  const tookMs: number[] = [];
  for (const leaver of leavers) tookMs.push(await signOutAndWait(system, leaver));
  must(stays.heard('unsubscribed').length === 0, () => 'who stays was sent off as well');
  await Promise.all([driver.stop(), stays.close()]);
  return tookMs;
}

async function signOutAndWait(
  system: System,
  { userId, sockets }: { userId: string; sockets: readonly RawWebSocket[] },
): Promise<number> {
  const as = { userId: 'operator', role: 'operator' } as const;
  const { status } = await askApi(system, 0, { as, method: 'POST', path: `/v1/users/${userId}/sign-out`, body: {} });
  must(status === 204, () => `the sign-out was answered with ${status}`);
  const startedAtMs = performance.now();
  const ends = await within(Promise.all(sockets.map((socket) => socket.ended())), {
    withinMs: overWithinMs,
    what: 'the end of all sockets',
  });
  const tookMs = Math.round(performance.now() - startedAtMs);
  for (const { code, textsAfter } of ends) {
    must(code === closeCodes.sessionEnded, () => `ended with ${code}`);
    must(textsAfter === 0, () => `${textsAfter} frames behind the close frame`);
  }
  return tookMs;
}
