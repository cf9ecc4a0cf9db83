import fc from 'fast-check';
import t from 'tap';
import type { Connection } from './connection.ts';
import { createPingWheel } from './ping-wheel.ts';

const seed = Date.now() & 0x7fff_ffff;
t.comment(`fast-check seed ${seed}`);

/** A socket whose client answers nothing and sends a frame every `frameEveryMs`, if ever. */
function createSocket(frameEveryMs = Number.POSITIVE_INFINITY) {
  const pingedAtMs: number[] = [];
  let nowMs = 0;
  const connection = {
    pingSlot: -1,
    budget: {
      get lastFrameAtMs() {
        return Number.isFinite(frameEveryMs) ? Math.floor(nowMs / frameEveryMs) * frameEveryMs : 0;
      },
    },
    ping: () => pingedAtMs.push(nowMs),
  };
  return {
    connection: connection as unknown as Connection,
    pingedAtMs,
    setNow(ms: number) {
      nowMs = ms;
    },
  };
}

type Socket = ReturnType<typeof createSocket>;

/** Turns the wheel for `forMs`, as late each time as `lateness` says. @returns how many were pinged in each turn */
function turn(
  { wheel, sockets, forMs }: { wheel: ReturnType<typeof createPingWheel>; sockets: readonly Socket[]; forMs: number },
  lateness: (turn: number) => number = () => 0,
): number[] {
  const pinged: number[] = [];
  const count = () => sockets.reduce((sum, { pingedAtMs }) => sum + pingedAtMs.length, 0);
  for (let nowMs = 0, nth = 0; nowMs < forMs; nowMs += wheel.everyMs + lateness(nth), nth += 1) {
    const before = count();
    for (const socket of sockets) socket.setNow(nowMs);
    wheel.turn(nowMs);
    pinged.push(count() - before);
  }
  return pinged;
}

function fill(wheel: ReturnType<typeof createPingWheel>, count: number, frameEveryMs?: number): Socket[] {
  const sockets = Array.from({ length: count }, () => createSocket(frameEveryMs));
  for (const { connection } of sockets) wheel.add(connection);
  return sockets;
}

t.test('sockets that opened together are pinged a few at a time', async (t) => {
  const wheel = createPingWheel({ idleTimeoutSeconds: 16 });
  const sockets = fill(wheel, 12_000);

  const pinged = turn({ wheel, sockets, forMs: 30_000 });

  t.equal(Math.max(...pinged), 100);
  t.ok(
    sockets.every(({ pingedAtMs }) => pingedAtMs.length >= 3),
    'everybody in every round but the first',
  );
});

t.test('no socket waits longer for its ping than uWS waits for a word, however late turns come', async (t) => {
  const property = fc.property(
    fc.constantFrom(8, 12, 16, 60, 960),
    fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 50 }),
    fc.option(fc.integer({ min: 500, max: 20_000 }), { nil: undefined }),
    (idleTimeoutSeconds, latenessMs, frameEveryMs) => {
      const wheel = createPingWheel({ idleTimeoutSeconds });
      const sockets = fill(wheel, 30, frameEveryMs);
      const endsAfterMs = idleTimeoutSeconds * 1000 - 4_000;

      turn({ wheel, sockets, forMs: endsAfterMs * 4 }, (nth) => latenessMs[nth % latenessMs.length] as number);

      const gaps = sockets.flatMap(({ pingedAtMs }) => gapsBetween(pingedAtMs, frameEveryMs, endsAfterMs * 4));
      t.strictSame(
        gaps.filter((gapMs) => gapMs >= endsAfterMs),
        [],
      );
    },
  );
  fc.assert(property, { numRuns: 40, seed });
});

/** Between one sign of life and the next: frames that came by themselves, and pings, which are answered. */
function gapsBetween(pingedAtMs: readonly number[], frameEveryMs: number | undefined, untilMs: number): number[] {
  const signs = [0, ...pingedAtMs];
  for (let ms = frameEveryMs ?? untilMs; ms < untilMs; ms += frameEveryMs ?? untilMs) signs.push(ms);
  signs.sort((a, b) => a - b);
  return signs.slice(1).map((ms, index) => ms - (signs[index] as number));
}

t.test('what looks for late pings finds them where turns are left out', async (t) => {
  const wheel = createPingWheel({ idleTimeoutSeconds: 16 });
  const sockets = fill(wheel, 30);

  turn({ wheel, sockets, forMs: 60_000 }, () => 20_000);

  t.ok(
    sockets.flatMap(({ pingedAtMs }) => gapsBetween(pingedAtMs, undefined, 60_000)).some((gapMs) => gapMs >= 12_000),
  );
});

t.test('whoever sends is not pinged, and whoever has left is not either', async (t) => {
  const wheel = createPingWheel({ idleTimeoutSeconds: 16 });
  const [phone] = fill(wheel, 1, 1_000) as [Socket];
  const [gone] = fill(wheel, 1) as [Socket];
  const [stays] = fill(wheel, 1) as [Socket];
  wheel.remove(gone.connection);

  turn({ wheel, sockets: [phone, gone, stays], forMs: 40_000 });

  t.strictSame([phone.pingedAtMs.length, gone.pingedAtMs.length], [0, 0]);
  t.ok(stays.pingedAtMs.length > 4);
});
