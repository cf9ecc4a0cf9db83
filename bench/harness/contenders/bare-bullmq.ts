import { randomUUID } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import { inLanes } from '../load/in-lanes.ts';
import { monotonicMs } from '../load/monotonic.ts';
import { serveCommands } from '../processes/serve-commands.ts';

/** BullMQ with a job a message, and processors that make one HTTP call for each: nothing is stored. One process adds, another one works. */
export interface BareQueue {
  readonly redisUrl: string;
  readonly prefix: string;
}

export interface VendorCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
}

const addLanes = 32;
const name = 'bare';
const connect = (url: string) => new Redis(url, { maxRetriesPerRequest: null });

let queue: Queue | undefined;
let done = 0;
let failed = 0;
let lastDoneAtMs = 0;
let wanted = 0;
let onAll: (() => void) | undefined;

const commands = {
  openQueue({ redisUrl, prefix }: BareQueue): void {
    queue = new Queue(name, { connection: connect(redisUrl), prefix });
  },
  async add({ count }: { count: number }): Promise<void> {
    await inLanes(Array.from({ length: count }), addLanes, () => {
      const jobId = randomUUID();
      return queue?.add(
        name,
        { recordId: jobId, step: 0 },
        { jobId, removeOnComplete: true, removeOnFail: true },
      ) as Promise<unknown>;
    });
  },

  async openWorker({
    redisUrl,
    prefix,
    concurrency,
    call,
  }: BareQueue & { concurrency: number; call: VendorCall }): Promise<void> {
    const dispatcher = new Agent({ connections: 64, keepAliveTimeout: 30_000 });
    const { url, headers, body, status } = call;
    const worker = new Worker(
      name,
      async () => {
        const answer = await request(url, { method: 'POST', headers, body, dispatcher });
        await answer.body.text();
        if (answer.statusCode !== status) throw new Error(`answered ${answer.statusCode}`);
      },
      { connection: connect(redisUrl), prefix, concurrency },
    );
    const count = () => {
      lastDoneAtMs = monotonicMs();
      if (done + failed >= wanted) onAll?.();
    };
    worker.on('completed', () => {
      done += 1;
      count();
    });
    worker.on('failed', () => {
      failed += 1;
      count();
    });
    await worker.waitUntilReady();
  },
  /** @returns when the last of so many jobs had ended, on the monotonic clock @throws Error where one failed */
  async finish({ count }: { count: number }): Promise<number> {
    wanted += count;
    if (done + failed < wanted)
      await new Promise<void>((resolve) => {
        onAll = resolve;
      });
    if (failed > 0) throw new Error(`${failed} jobs failed`);
    return lastDoneAtMs;
  },
};

export type BareBullmqCommands = typeof commands;

serveCommands(commands);
