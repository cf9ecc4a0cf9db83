import { parseKeyRing } from '@hushryd/platform/auth/key-ring';
import { createTickets } from '@hushryd/platform/auth/tickets';
import { createTokenVerifier } from '@hushryd/platform/auth/verify-token';
import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import { startPatiently } from '@hushryd/platform/lifecycle/start-patiently';
import type { Logger } from '@hushryd/platform/logging/logger';
import { createRealtimeNodes, sayEveryMs } from '@hushryd/platform/nodes/realtime-nodes';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys, type Keys } from '@hushryd/platform/redis/keys';
import { assertLayout } from '@hushryd/platform/redis/layout';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { createAccessFollower } from '@hushryd/tracking/access-log/access-follower';
import { createFeedPace, feedPaceMs } from '@hushryd/tracking/feed/feed-pace';
import { createFixBatcher } from '@hushryd/tracking/fix-batcher';
import { createDurableFeed } from '@hushryd/tracking/history/durable-feed';
import { createReadDurable } from '@hushryd/tracking/history/read-durable';
import { createPositionReader } from '@hushryd/tracking/positions/read-position';
import { createWriteBatch } from '@hushryd/tracking/positions/write-batch';
import { createRevocations } from '@hushryd/tracking/revocations/revocations';
import { createRuns } from '@hushryd/tracking/runs/allot-run';
import { createOfferRun } from '@hushryd/tracking/runs/offer-run';
import { mayWatchTrip } from '@hushryd/tracking/trip-access/access-rules';
import type { RealtimeConfig } from './config.ts';
import { createAcceptGate } from './connections/accept-gate.ts';
import { createAuthenticateUpgrade } from './connections/authenticate-upgrade.ts';
import { closeLabel } from './connections/close-label.ts';
import { Connection } from './connections/connection.ts';
import { createConnections } from './connections/connections.ts';
import { countPing } from './connections/count-ping.ts';
import { drainConnections } from './connections/drain.ts';
import { endByOrder } from './connections/end-by-order.ts';
import { endExpired } from './connections/end-expired.ts';
import { endRevoked } from './connections/end-revoked.ts';
import { greet } from './connections/greet.ts';
import { createNodePresence } from './connections/node-presence.ts';
import { createNodeStats } from './connections/node-stats.ts';
import { createPingWheel } from './connections/ping-wheel.ts';
import { createSocketLeases } from './connections/socket-leases.ts';
import { createUpgradeHandler } from './connections/upgrade.ts';
import { createDriverPhones } from './fanout/driver-phones.ts';
import { createFanout, type FanoutGuards } from './fanout/fanout.ts';
import { createFindAway } from './fanout/find-away.ts';
import { createHub } from './fanout/hub.ts';
import { createLiveStatus, isLiveIn } from './fanout/live-status.ts';
import { createAckHandler } from './frames/ack.ts';
import { createDispatch } from './frames/dispatch.ts';
import { createFixesHandler } from './frames/fixes.ts';
import { createHelloHandler } from './frames/hello.ts';
import { handlePing } from './frames/ping.ts';
import { createRefreshHandler } from './frames/refresh.ts';
import { createSosHandler } from './frames/sos.ts';
import { createSosLocHandler } from './frames/sos-loc.ts';
import { createSubscribeHandler } from './frames/subscribe.ts';
import { createTellSuperseded } from './frames/tell-superseded.ts';
import { handleUnsubscribe } from './frames/unsubscribe.ts';
import { addHealthRoutes } from './http/health.ts';
import { createInternalApi } from './internal-api.ts';
import { createMetrics, registerGauges } from './metrics.ts';
import { addSocketRoute, createServer } from './server.ts';
import { createSosForward } from './sos-forward.ts';

/** Time for what is in the batcher, out of the whole shutdown. */
const flushMs = 5000;

/**
 * Build and start a realtime node: what it needs first, the door last. Everything is closed in reverse by `lifecycle`, beginning with
 * the drain of the sockets.
 *
 * @param guards others than the real ones are for negative controls, which show that a broken one is found out
 * @returns the port, once sockets are taken
 * @throws ConfigError, AppError `redis_unavailable`
 */
export async function startRealtime({
  config,
  instanceId,
  log,
  telemetry,
  lifecycle,
  guards = { createHub, mayWatchTrip },
}: {
  config: RealtimeConfig;
  instanceId: string;
  log: Logger;
  telemetry: Telemetry;
  lifecycle: Lifecycle;
  guards?: FanoutGuards;
}): Promise<{ port: number }> {
  const metrics = createMetrics(telemetry);
  const redis = await connectRedis({ settings: config.redis, role: 'live', log, telemetry });
  lifecycle.add('redis', () => redis.close());
  const keys = createKeys(config.redis);
  const { commands } = redis;
  await startPatiently(() => assertLayout({ redis: commands, keys }));
  const internalApi = createInternalApi({ ...config.internalApi, serviceToken: config.tokens.serviceToken });
  lifecycle.add('internal api', () => internalApi.close());
  const sosForward = createSosForward({
    urls: config.internalApi.urls,
    serviceToken: config.tokens.serviceToken,
    timeoutMs: config.sosForwardMs,
  });
  lifecycle.add('forwarding of alerts', () => sosForward.close());

  const server = createServer();
  const connections = createConnections();
  const pings = createPingWheel({ idleTimeoutSeconds: config.sockets.idleTimeoutSeconds });

  // Who may do what.
  const ring = parseKeyRing(config.tokens.publicKeysJson);
  const tokens = createTokenVerifier({ ring, issuer: config.tokens.issuer, audiences: ['user', 'admin'] });
  const follower = createAccessFollower({ redis: commands, keys, log });
  const revocations = createRevocations({
    redis: commands,
    keys,
    follower,
    readTruth: internalApi.readRevocations,
    onRevoked: (revocation) => endRevoked(connections, revocation),
    log,
  });
  follower.follow(({ endOrders }) => {
    for (const order of endOrders) endByOrder(connections, order);
  });

  // From the feeds to the sockets.
  const reader = createPositionReader({ redis: commands, keys });
  const pace = createFeedPace({ maxPauseMs: config.batch.maxDelayMs });
  const fanout = createFanout({
    connections: redis,
    keys,
    follower,
    reader,
    publish: (channel, frame) => server.app.publish(channel, frame, typeof frame !== 'string', false),
    resolveAccess: internalApi.resolveAccess,
    resolveSosAccess: internalApi.resolveSosAccess,
    slowBytes: config.sockets.slowBytes,
    guards,
    onFeedMessage: pace.heard,
    metrics,
    telemetry,
    log,
  });
  const phones = createDriverPhones({
    readDurable: createReadDurable({ redis: commands, keys }),
    partitionOf: keys.driverPartition,
    log,
  });
  const durable = createDurableFeed({ connections: redis, keys, ...phones, log });
  const liveStatus = createLiveStatus({
    partitions: keys.partitions,
    findAway: createFindAway({ connections: redis, keys }),
    onChange(before, now) {
      for (const connection of connections) {
        const partition = partitionNeededBy(connection, keys);
        const live = isLiveIn(now, partition);
        if (live !== isLiveIn(before, partition)) connection.sendFrame({ type: 'status', live });
      }
      if (now.size === 0) presence.redisIsBack();
    },
    log,
  });

  // From the sockets to Redis.
  const batcher = createFixBatcher({
    write: createWriteBatch({ redis: commands, keys }),
    partitionOf: keys.driverPartition,
    settings: config.batch,
    telemetry,
    onPartition: liveStatus.onPartition,
    pace,
  });
  const runs = createRuns({ redis: commands, keys });
  const nodes = createRealtimeNodes({ redis: commands, keys });
  const nodeStats = createNodeStats({
    nodeId: instanceId,
    connections,
    slowCount: () => fanout.slowConsumers.slowCount,
    isDraining: () => lifecycle.isClosing,
    metrics,
  });
  const leases = createSocketLeases({
    redis: commands,
    keys,
    nodes,
    nodeId: instanceId,
    maxPerUser: config.upgrades.maxSocketsPerUser,
    connections,
    log,
  });
  const presence = createNodePresence({ nodes, leases, stats: nodeStats, log });
  const dispatch = createDispatch({
    handlers: {
      hello: createHelloHandler({ runs, phones }),
      loc: createFixesHandler({
        batcher,
        access: fanout.access,
        phones,
        tellSuperseded: createTellSuperseded({ offerRun: createOfferRun({ reader, runs }), log }),
        limits: config.accept,
        metrics,
      }),
      sub: createSubscribeHandler({ fanout, maxTopics: config.sockets.maxTopics }),
      unsub: handleUnsubscribe,
      ack: createAckHandler(fanout.sosRepeats),
      refresh: createRefreshHandler({ tokens, revocations, leases }),
      sos: createSosHandler({ forward: sosForward.forward, metrics, log }),
      sos_loc: createSosLocHandler(sosForward.forwardFixes),
      ping: handlePing,
    },
    maxFrameBytes: config.sockets.maxFrameBytes,
    metrics,
    log,
  });

  // The door.
  const gate = createAcceptGate({ ...config.upgrades, aliveNodes: () => presence.aliveNodes });
  let socketNumber = 0;
  const upgrade = createUpgradeHandler({
    gate,
    authenticate: createAuthenticateUpgrade({
      tokens,
      tickets: createTickets({ redis: commands, keys }),
      revocations,
      allowedOrigins: config.upgrades.allowedOrigins,
    }),
    leases,
    connections,
    createConnection: (identity, isBinary) => {
      socketNumber += 1;
      return new Connection({
        id: `${instanceId}.${socketNumber}`,
        identity,
        isBinary,
        limits: config.sockets,
        metrics,
        nowMs: performance.now(),
      });
    },
    timeoutMs: config.upgrades.timeoutMs,
    metrics,
    log,
  });
  addSocketRoute(server.app, {
    upgrade,
    dispatch,
    onOpen(connection) {
      connections.add(connection);
      pings.add(connection);
      // Later, so that little happens while an upgrade is under way: see upgrade.ts.
      setImmediate(() =>
        greet({ connection, leases, isLive: () => liveStatus.isLive(partitionNeededBy(connection, keys)) }),
      );
    },
    onPing: (connection) => countPing(connection, performance.now()),
    onDrain: fanout.drained,
    onClose(connection, code) {
      log.debug({ connectionId: connection.id, code: connection.closeCode || code }, 'socket closed');
      connections.remove(connection);
      const endedWith = closeLabel(connection.closeCode || code);
      metrics.ended[endedWith] = (metrics.ended[endedWith] ?? 0) + 1;
      pings.remove(connection);
      fanout.closed(connection);
      if (connection.driver !== undefined) phones.remove(connection);
      leases.release(connection);
    },
    idleTimeoutSeconds: config.sockets.idleTimeoutSeconds,
    maxBufferBytes: config.sockets.maxBufferBytes,
  });
  addHealthRoutes(server.app, {
    instanceId,
    probes: {
      redis: redis.ping,
      internalApi: internalApi.ping,
      // A Redis without its replicas answers every ping and refuses every fix.
      async liveData() {
        if (!liveStatus.isLive(undefined)) throw new Error('fixes cannot be written');
      },
    },
    isDraining: () => lifecycle.isClosing,
  });
  registerGauges(telemetry, {
    connections: () => connections.size,
    subscriptions: () => {
      let count = 0;
      for (const { memberships } of connections) count += memberships?.size ?? 0;
      return count;
    },
    slowSockets: () => fanout.slowConsumers.slowCount,
    aliveNodes: () => presence.aliveNodes,
    pendingFixes: () => batcher.pendingFixes,
    mapWatchers: () => fanout.adminMap.watcherCount,
    nearbyWatchers: () => fanout.nearbyCells.watcherCount,
  });

  lifecycle.add('node lease', () => nodes.leave(instanceId).catch(() => undefined));
  const periodic = (name: string, everyMs: number, run: () => void | Promise<void>) => ({
    name,
    part: createPeriodic({ name, everyMs, run, log }),
  });
  for (const { name, part } of [
    { name: 'access logs', part: follower },
    ...fanout.parts,
    { name: 'durable feed', part: durable },
    { name: 'live status', part: liveStatus },
    periodic('keep pace with the feed', feedPaceMs, pace.turn),
    periodic('ping sockets', pings.everyMs, () => pings.turn(performance.now())),
    periodic('say how this node is', sayEveryMs, presence.say),
    periodic('end expired sockets', 1000, () => endExpired(connections, Date.now())),
    periodic('look for durable fixes', 2000, () => phones.recheck()),
  ]) {
    await startPatiently(() => part.start());
    lifecycle.add(name, () => part.close());
  }

  const port = server.listen(config.host, config.port);
  lifecycle.add('sockets', async () => {
    gate.close();
    server.stopListening();
    const flush = () => batcher.close(flushMs);
    const result = await drainConnections({ connections, drainMs: config.drainMs, flush });
    for (const [fact, count] of Object.entries(result)) lifecycle.report(fact, count);
    server.close();
  });
  return { port };
}

/** Drivers send to their own partition; everybody else watches drivers of any. */
const partitionNeededBy = ({ identity: { role, userId } }: Connection, keys: Keys): number | undefined =>
  role === 'driver' ? keys.driverPartition(userId) : undefined;
