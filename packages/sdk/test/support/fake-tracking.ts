import type { ClientFrame, HelloFrame, LocFrame } from '@hushryd/contracts/realtime/client-frames';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import type { FakeSocket, FakeSockets } from './fake-socket.ts';

export interface StoredFix {
  run: number;
  seq: number;
  recordedAtMs: number;
}

interface StreamEntry {
  run: number;
  from: number;
  fixes: StoredFix[];
  dropped: number[];
}

/**
 * The server's side of the durability protocol, in a few lines: a stream that can be lost, a history that cannot, and how far each
 * run is durable, by the rules of packages/tracking (raise-durable.lua, allot-run.lua). Frames travel only when told to, so that a
 * test decides what was under way when a socket broke.
 */
export class FakeTracking {
  readonly history: StoredFix[] = [];
  isRedisAway = false;
  /** Answers vanish on their way, as from a server that hangs after its work. */
  losesAnswers = false;
  isDropped: (recordedAtMs: number) => boolean = () => false;

  #sockets: FakeSockets;
  #socket: FakeSocket | undefined;
  #inbox: ClientFrame[] = [];
  #outbox: ServerFrame[] = [];
  #stream: StreamEntry[] = [];
  #durable = new Map<number, number>();
  #newestRun = 1_700_000_000_000;

  constructor(sockets: FakeSockets) {
    this.#sockets = sockets;
    sockets.onSent = (socket, frame) => {
      if (socket === this.#socket) this.#inbox.push(frame);
    };
    sockets.onOpen = (socket) => {
      this.#socket = socket;
      this.#inbox = [];
      this.#outbox = [];
    };
  }

  /** Accept the newest socket, if it waits for that. */
  accept(): void {
    this.#socket?.ready();
  }

  /** What is under way in either direction is lost with the socket. */
  cut(code: number): void {
    this.#inbox = [];
    this.#outbox = [];
    if (this.#sockets.all.length > 0) this.#sockets.last.close(code);
  }

  /** Up to `count` of the client's frames arrive. */
  process(count: number): void {
    for (const frame of this.#inbox.splice(0, count)) {
      if (frame.type === 'hello') this.#hello(frame);
      else if (frame.type === 'loc') this.#loc(frame);
      else if (frame.type === 'ping') this.#answer({ type: 'pong', serverTimeMs: 1 });
    }
  }

  /** Up to `count` of the server's frames arrive. */
  deliver(count: number): void {
    for (const frame of this.#outbox.splice(0, count)) this.#socket?.say(frame);
  }

  setRedisAway(isAway: boolean): void {
    if (isAway !== this.isRedisAway) this.#answer({ type: 'status', live: !isAway });
    this.isRedisAway = isAway;
  }

  /** FLUSHALL, or a failover that lost writes. */
  loseRedis(): void {
    this.#stream = [];
    this.#durable.clear();
  }

  /** The worker stores up to `count` entries, raises what is durable, and asks for what is missing. */
  flush(count: number): void {
    const entries = this.#stream.splice(0, count);
    const runs = new Map<number, { from: number; seqs: number[] }>();
    for (const { run, from, fixes, dropped } of entries) {
      this.history.push(...fixes);
      const gathered = runs.get(run) ?? { from: 0, seqs: [] };
      gathered.from = Math.max(gathered.from, from);
      gathered.seqs.push(...fixes.map(({ seq }) => seq), ...dropped);
      runs.set(run, gathered);
    }
    for (const [run, { from, seqs }] of runs)
      this.#raise(
        run,
        from,
        seqs.sort((a, b) => a - b),
      );
  }

  /** A newer phone took over and fell silent: the run named last may go on in another. */
  supersede(run: number | undefined): void {
    if (run === undefined) return;
    this.#newestRun += 2;
    const offeredRun = this.#newestRun;
    this.#answer({ type: 'superseded', run, byRun: offeredRun - 1, offeredRun });
  }

  #hello({ id, run, from = 1 }: HelloFrame): void {
    if (this.isRedisAway) return;
    const own = run ?? ++this.#newestRun;
    const durableSeq = this.#durable.get(own) ?? from - 1;
    this.#answer({ type: 'welcome', id: id ?? 0, run: own, durableSeq, position: null });
  }

  #loc({ id, run, from, fixes }: LocFrame): void {
    if (this.isRedisAway) return;
    const dropped = fixes.filter(({ recordedAtMs }) => this.isDropped(recordedAtMs)).map(({ seq }) => seq);
    const known = this.#durable.get(run) ?? 0;
    const kept = fixes.filter(({ seq }) => seq > known && !dropped.includes(seq));
    const stored = kept.map(({ seq, recordedAtMs }) => ({ run, seq, recordedAtMs }));
    if (stored.length > 0 || dropped.length > 0) this.#stream.push({ run, from, fixes: stored, dropped });
    const drops = dropped.map((seq) => ({ seq, reason: 'inaccurate' as const }));
    this.#answer({ type: 'recv', id: id ?? 0, run, seq: fixes.at(-1)?.seq ?? 0, ...(drops.length > 0 && { drops }) });
  }

  #raise(run: number, from: number, seqs: number[]): void {
    const before = this.#durable.get(run) ?? -1;
    let seq = Math.max(before, from - 1);
    let hasHole = false;
    for (const next of seqs) {
      hasHole = next > seq + 1;
      if (hasHole) break;
      seq = Math.max(seq, next);
    }
    this.#durable.set(run, seq);
    if (seq > before) this.#answer({ type: 'durable', run, seq });
    if (hasHole) this.#answer({ type: 'resend', run, from: seq + 1 });
  }

  #answer(frame: ServerFrame): void {
    if (!this.losesAnswers) this.#outbox.push(frame);
  }
}
