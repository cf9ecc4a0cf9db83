import type { Redis } from 'ioredis';

/** Private to ioredis; topologies.test.ts notices a change. */
interface SentinelConnector {
  failoverDetector: { cleanup(): void } | null;
}

/**
 * Let go of the detector of a failover with the connection that it belongs to.
 *
 * ioredis keeps it until the next connection stands. Its word (`+switch-master`) ends the attempt to connect that is under way, and an
 * attempt that ends so ends the client for good, though the sentinels have a new primary: topologies.test.ts shows it.
 */
export function followSentinels(client: Redis): void {
  client.on('close', () => {
    const { connector } = client as unknown as { connector: SentinelConnector };
    connector.failoverDetector?.cleanup();
  });
}
