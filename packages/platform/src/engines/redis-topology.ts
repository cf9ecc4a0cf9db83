import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeTemporaryFolder } from './data-root.ts';
import { EngineError, type EngineFaults, type OnProgress } from './engine.ts';
import { startEngineProcess } from './engine-process.ts';
import { type RedisProgram, redisArguments } from './find-redis.ts';
import { askOverTcp } from './ports.ts';

/** One server of several. */
export interface RedisNode {
  readonly port: number;
  readonly pid: number;
  readonly faults: EngineFaults;
  stop(): Promise<void>;
}

/** Several servers that work as one Redis. */
export interface RedisTopology {
  readonly kind: 'cluster' | 'sentinel';
  /** The variables by which a process finds it: REDIS_URL and the like. */
  readonly variables: Readonly<Record<string, string>>;
  readonly version: string;
  /** One sentence for the screen. */
  readonly description: string;
  /** The servers that hold data, first primaries, then their replicas, as they were at the start. */
  readonly nodes: readonly RedisNode[];
  stop(): Promise<void>;
}

const togetherWithinMs = 60_000;
const lookEveryMs = 100;

/**
 * A server for a topology, on a temporary folder that is removed with it.
 *
 * @param settings added to those of a plain server, after its port is known
 * @throws EngineError
 */
export async function startRedisNode({
  program,
  label,
  settings,
  onProgress,
}: {
  program: RedisProgram;
  label: string;
  settings: Readonly<Record<string, string>>;
  onProgress?: OnProgress | undefined;
}): Promise<RedisNode> {
  const dataDir = await makeTemporaryFolder('redis');
  const filesDir = join(dataDir, 'data');
  return startEngineProcess({
    label,
    dataDir,
    isTemporary: true,
    argv: (port) => [
      program.command,
      ...redisArguments({ port, filesDir, appendfsync: 'everysec' }),
      ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    ],
    prepare: () => mkdir(filesDir, { recursive: true }),
    isReady: answersPing,
    onProgress,
  });
}

export async function answersPing(port: number): Promise<boolean> {
  const answer = await askOverTcp({ port, line: 'PING', withinMs: 1000 });
  return answer?.startsWith('+PONG') ?? false;
}

/** Ends all of them together. */
export async function stopNodes(nodes: readonly RedisNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop()));
}

/** @throws EngineError where `check` does not come true in time */
export async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + togetherWithinMs;
  while (!(await check())) {
    if (performance.now() > deadlineMs) {
      throw new EngineError(
        `The Redis servers did not come together within ${togetherWithinMs / 1000} s: not ${what}.`,
      );
    }
    await sleep(lookEveryMs);
  }
}
