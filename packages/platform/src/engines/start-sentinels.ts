import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { makeTemporaryFolder } from './data-root.ts';
import type { OnProgress } from './engine.ts';
import { startEngineProcess } from './engine-process.ts';
import { findRedisProgram, type RedisProgram } from './find-redis.ts';
import {
  answersPing,
  eventually,
  type RedisNode,
  type RedisTopology,
  startRedisNode,
  stopNodes,
} from './redis-topology.ts';

export interface SentinelOptions {
  /** A primary that is silent for so long counts as down. */
  readonly downAfterMs?: number;
  readonly onProgress?: OnProgress | undefined;
}

/** What a topology behind sentinels has besides. */
export interface SentinelTopology extends RedisTopology {
  readonly sentinels: readonly RedisNode[];
}

const primaryName = 'main';
const sentinelCount = 3;
const quorum = 2;
/** An election that failed is tried again after twice this. */
const failoverTimeoutMs = 3000;

/**
 * A primary and a replica behind three sentinels, on 127.0.0.1: the replica is in step and the sentinels know one another and it
 * when this returns.
 *
 * @throws EngineError one sentence with the remedy
 * Cost: about 4 s on two cores; a sentinel says its name to others every 2 s.
 */
export async function startSentinels({
  downAfterMs = 1000,
  onProgress,
}: SentinelOptions = {}): Promise<SentinelTopology> {
  const { program } = await findRedisProgram(onProgress);
  const started: RedisNode[] = [];
  const keep = async (starting: Promise<RedisNode>): Promise<RedisNode> => {
    const node = await starting;
    started.push(node);
    return node;
  };
  try {
    const settings = { 'repl-diskless-sync-delay': '0' };
    const primary = await keep(startRedisNode({ program, label: 'the primary', settings, onProgress }));
    const replica = await keep(
      startRedisNode({
        program,
        label: 'the replica',
        settings: { ...settings, replicaof: `127.0.0.1 ${primary.port}` },
        onProgress,
      }),
    );
    // Sentinels that look before would wait ten seconds until they look again for replicas.
    await eventually('the replica is in step', async () =>
      /master_link_status:up/.test(await askInfo(replica.port, 'replication')),
    );
    const sentinels: RedisNode[] = [];
    for (let index = 0; index < sentinelCount; index += 1) {
      sentinels.push(await keep(startSentinel({ program, primaryPort: primary.port, downAfterMs, onProgress })));
    }
    await eventually('the sentinels know one another and the replica', async () => {
      const seen = await Promise.all(sentinels.map(({ port }) => askInfo(port, 'sentinel')));
      return seen.every((text) => text.includes(`slaves=1,sentinels=${sentinelCount}`));
    });
    const addresses = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
    return {
      kind: 'sentinel',
      variables: {
        REDIS_URL: `redis://127.0.0.1:${primary.port}`,
        REDIS_SENTINELS: addresses,
        REDIS_SENTINEL_NAME: primaryName,
      },
      version: program.version,
      description: `${program.name} ${program.version}, a primary and a replica behind ${sentinelCount} sentinels, on ${addresses}`,
      nodes: [primary, replica],
      sentinels,
      stop: () => stopNodes(started),
    };
  } catch (error) {
    await stopNodes(started);
    throw error;
  }
}

async function startSentinel({
  program,
  primaryPort,
  downAfterMs,
  onProgress,
}: {
  program: RedisProgram;
  primaryPort: number;
  downAfterMs: number;
  onProgress?: OnProgress | undefined;
}): Promise<RedisNode> {
  const dataDir = await makeTemporaryFolder('sentinel');
  // It keeps what it learns in this file, so each has its own.
  const file = join(dataDir, 'sentinel.conf');
  return startEngineProcess({
    label: 'a sentinel',
    dataDir,
    isTemporary: true,
    argv: (port) => [program.command, file, '--sentinel', '--port', String(port), '--bind', '127.0.0.1'],
    prepare: () =>
      writeFile(
        file,
        [
          `sentinel monitor ${primaryName} 127.0.0.1 ${primaryPort} ${quorum}`,
          `sentinel down-after-milliseconds ${primaryName} ${downAfterMs}`,
          `sentinel failover-timeout ${primaryName} ${failoverTimeoutMs}`,
          '',
        ].join('\n'),
      ),
    isReady: answersPing,
    onProgress,
  });
}

async function askInfo(port: number, section: string): Promise<string> {
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined); // The command fails with it.
  try {
    return String(await client.info(section));
  } finally {
    client.disconnect();
  }
}
