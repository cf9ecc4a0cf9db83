import { Redis } from 'ioredis';
import type { OnProgress } from './engine.ts';
import { findRedisProgram } from './find-redis.ts';
import { freePort } from './ports.ts';
import { eventually, type RedisNode, type RedisTopology, startRedisNode, stopNodes } from './redis-topology.ts';

export interface ClusterOptions {
  /** Primaries; each has one replica. */
  readonly primaries?: number;
  /** A node that is silent for so long counts as failed. */
  readonly nodeTimeoutMs?: number;
  readonly onProgress?: OnProgress | undefined;
}

const slotCount = 16_384;

/**
 * A Redis Cluster on 127.0.0.1, by default of six: three primaries with a replica each, in step when this returns.
 *
 * One dead shard does not stop the others (`cluster-require-full-coverage no`).
 *
 * @throws EngineError one sentence with the remedy
 * Cost: about 4 s on two cores.
 */
export async function startCluster({
  primaries = 3,
  nodeTimeoutMs = 2000,
  onProgress,
}: ClusterOptions = {}): Promise<RedisTopology> {
  const { program } = await findRedisProgram(onProgress);
  const nodes: RedisNode[] = [];
  try {
    for (let index = 0; index < 2 * primaries; index += 1) {
      nodes.push(await startClusterNode());
    }
    await formCluster(nodes.map(({ port }) => port));
  } catch (error) {
    await stopNodes(nodes);
    throw error;
  }
  const addresses = nodes.slice(0, primaries).map(({ port }) => `127.0.0.1:${port}`);
  return {
    kind: 'cluster',
    variables: { REDIS_URL: `redis://${addresses.join(',')}`, REDIS_CLUSTER_MODE: 'true' },
    version: program.version,
    description: `${program.name} ${program.version} as a cluster of ${primaries} + ${primaries}, on ${addresses.join(', ')}`,
    nodes,
    stop: () => stopNodes(nodes),
  };

  async function startClusterNode(): Promise<RedisNode> {
    return startRedisNode({
      program,
      label: `${program.command} of a cluster`,
      settings: {
        'cluster-enabled': 'yes',
        'cluster-port': String(await freePort()),
        'cluster-node-timeout': String(nodeTimeoutMs),
        'cluster-require-full-coverage': 'no',
        'repl-diskless-sync-delay': '0',
      },
      onProgress,
    });
  }
}

/** Slots over the first half in equal parts, the second half their replicas. */
async function formCluster(ports: readonly number[]): Promise<void> {
  const clients = ports.map((port) => new Redis({ port }));
  for (const client of clients) client.on('error', () => undefined); // The commands below fail with it.
  const primaries = clients.slice(0, ports.length / 2);
  const share = Math.ceil(slotCount / primaries.length);
  try {
    for (const [index, client] of clients.entries()) {
      // Without one of its own each begins at epoch 0, and they sort that out one by one.
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      if (index < primaries.length) {
        const last = Math.min(slotCount, (index + 1) * share) - 1;
        await client.call('CLUSTER', 'ADDSLOTSRANGE', index * share, last);
      }
      const [, busPort] = (await client.config('GET', 'cluster-port')) as [string, string];
      // Each is introduced to each: by gossip alone it takes them ten seconds.
      for (const other of clients.slice(0, index)) {
        await other.call('CLUSTER', 'MEET', '127.0.0.1', ports[index] as number, busPort);
      }
    }
    await eventually('all nodes know one another', async () => {
      const seen = await Promise.all(clients.map(async (client) => String(await client.cluster('INFO'))));
      return seen.every((text) => text.includes(`cluster_known_nodes:${ports.length}`));
    });
    for (const [index, client] of clients.slice(primaries.length).entries()) {
      const primaryId = String(await (primaries[index] as Redis).call('CLUSTER', 'MYID'));
      await eventually('a replica knows its primary', () =>
        client.call('CLUSTER', 'REPLICATE', primaryId).then(
          () => true,
          () => false,
        ),
      );
    }
    await eventually('the cluster is whole and its replicas are in step', async () => {
      const [states, links, slots] = await Promise.all([
        Promise.all(clients.map(async (client) => String(await client.cluster('INFO')))),
        Promise.all(clients.slice(primaries.length).map((client) => client.info('replication'))),
        Promise.all(clients.map((client) => client.call('CLUSTER', 'SLOTS') as Promise<unknown[][]>)),
      ]);
      return (
        states.every((text) => /cluster_state:ok/.test(text) && /cluster_slots_ok:16384/.test(text)) &&
        links.every((text) => /master_link_status:up/.test(text)) &&
        // Everybody has heard of every replica: range start, range end, primary, replica.
        slots.every((ranges) => ranges.length === primaries.length && ranges.every((range) => range.length === 4))
      );
    });
  } finally {
    for (const client of clients) client.disconnect();
  }
}
