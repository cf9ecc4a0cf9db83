import type { LogLine, ServiceProcess } from '@hushryd/platform/testing/service-process';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import { createRiderClient, type RiderClient } from '@hushryd/sdk/rider-client';
import { MongoClient } from 'mongodb';
import t from 'tap';
import { ask } from './ask-api.ts';
import { compareHistory } from './compare-history.ts';
import { createHeard, type Heard, listeningSocket } from './heard.ts';
import { probeStream } from './probe-stream.ts';
import { type SystemService, startSystemOnOwnEngines } from './system.ts';
import { startTraffic } from './traffic.ts';

// SIGTERM to each service while it has work to do: it finishes what it took, says so in one line, and exits 0 in time.

const exitWithinMs = 25_000;
const healWithinMs = 60_000;
const crowdSize = 1000;
const clean = { code: 0, signal: null };

const { system, redis, mongo } = await startSystemOnOwnEngines(t, {
  apis: 2,
  realtimes: 2,
  env: {
    MAX_ACCEPTS_PER_SECOND: '20000',
    HISTORY_FLUSH_MS: '200',
    HISTORY_POLL_MS: '100',
    PARTITION_LEASE_MS: '2000',
    MONGODB_DEADLINE_MS: '5000',
  },
});
const client = new MongoClient(system.mongoUrl);
t.teardown(() => client.close());
const stream = await probeStream(t, system);
const traffic = await startTraffic(t, system, 4);
const { journeys } = traffic;
const [node, otherNode] = system.realtimes as [SystemService, SystemService];

t.test('a realtime node with 1,000 sockets under load: all hear when to come back, and do', async (t) => {
  traffic.move();
  // What a load balancer does: nobody is sent to a node that drains.
  let address = node.url;
  const crowd = await gatherCrowd(() => address.replace('http', 'ws'));
  t.teardown(() => closeAll(crowd));

  const startedAtMs = performance.now();
  address = otherNode.url;
  t.strictSame(await node.process.terminate(exitWithinMs), clean);
  const ended = lastLine(node.process, 'shutdown complete');
  t.match(ended, { reason: 'SIGTERM', failedCount: 0, socketsForced: 0 });
  t.ok(Number(ended?.socketsDrained) >= crowdSize, `${ended?.socketsDrained} sockets drained`);
  t.comment(`exit after ${Math.round(performance.now() - startedAtMs)} ms, ${JSON.stringify(ended)}`);

  t.ok(
    crowd.every(({ heard }) => heard.drainHints === 1),
    'everybody heard `draining` before',
  );
  await waitFor(() => crowd.every(({ rider }) => rider.state.name === 'live'), {
    withinMs: healWithinMs,
    what: 'the crowd on the other node',
  });
  t.ok(
    crowd.every(({ heard }) => heard.sockets === 2),
    'at the first try',
  );

  await node.restart();
  await traffic.settle(healWithinMs);
  await waitFor(() => crowd.every((member) => member.seq() === journeys[member.trip]?.view.position?.seq), {
    withinMs: healWithinMs,
    what: 'the last position for everybody',
  });
  t.strictSame(
    crowd.flatMap(({ heard }) => heard.backwards),
    [],
  );
  await expectNothingLost(t);
});

t.test('an api with requests in flight: all are answered', async (t) => {
  const api = system.apis[1] as SystemService;
  const operator = { userId: 'operator', role: 'operator' } as const;
  const tripId = journeys[0]?.tripId;
  const { headers } = await ask(system, 1, { as: operator, path: `/v1/trips/${tripId}/location` });
  const etag = { 'if-none-match': String(headers.etag) };

  mongo.faults.pause();
  const place = { lat: 41, lng: -8 };
  const writes = Array.from({ length: 5 }, (_, index) =>
    ask(system, 1, {
      as: operator,
      method: 'POST',
      path: '/v1/trips',
      body: { driverId: `late-${index}`, passengerIds: [], origin: place, destination: place },
    }),
  );
  const polls = Array.from({ length: 20 }, () =>
    ask(system, 1, { as: operator, path: `/v1/trips/${tripId}/location?waitSeconds=30` }, etag),
  );
  // Answered after those before it were taken in.
  await fetch(`${api.url}/health`);
  const exit = api.process.terminate(exitWithinMs);
  await api.process.waitForLog('shutting down');
  mongo.faults.resume();

  t.strictSame(
    (await Promise.all(writes)).map(({ status }) => status),
    writes.map(() => 201),
  );
  t.strictSame(
    (await Promise.all(polls)).map(({ status }) => status),
    polls.map(() => 304),
  );
  t.strictSame(await exit, clean);
  const ended = lastLine(api.process, 'shutdown complete');
  t.match(ended, { failedCount: 0, requestsAborted: 0 });
  t.ok(Number(ended?.requestsFinished) >= writes.length + polls.length, `${ended?.requestsFinished} finished`);
  await api.restart();
});

t.test('a worker in the middle of a flush: the flush is finished', async (t) => {
  const [worker] = system.workers as [SystemService];
  traffic.move();
  mongo.faults.pause();
  await waitFor(() => stream.hasPending(), { withinMs: 30_000, what: 'fixes in the hands of the worker' });
  const exit = worker.process.terminate(exitWithinMs);
  await worker.process.waitForLog('shutting down');
  mongo.faults.resume();
  t.strictSame(await exit, clean);
  t.match(lastLine(worker.process, 'shutdown complete'), { failedCount: 0 });
  t.equal(await stream.hasPending(), false, 'nothing is left half done');
  await worker.restart();
  await traffic.settle(healWithinMs);
  await expectNothingLost(t);
});

t.test('a second SIGTERM does not cut the drain short', async (t) => {
  traffic.move();
  let address = node.url;
  const crowd = await gatherCrowd(() => address.replace('http', 'ws'), 200);
  t.teardown(() => closeAll(crowd));
  address = otherNode.url;
  const exit = node.process.terminate(exitWithinMs);
  await node.process.waitForLog('shutting down');
  process.kill(node.process.pid, 'SIGTERM');
  t.strictSame(await exit, clean);
  t.match(lastLine(node.process, 'shutdown complete'), { failedCount: 0, socketsForced: 0 });
  await waitFor(() => crowd.every(({ rider }) => rider.state.name === 'live'), {
    withinMs: healWithinMs,
    what: 'the crowd on the other node',
  });
  await node.restart();
});

t.test('with Redis hung every service still ends in time', async (t) => {
  traffic.move();
  redis.faults.pause();
  const services = [...system.apis, ...system.realtimes, ...system.workers];
  await waitFor(() => journeys.every(({ heard }) => !heard.phone.isLive), {
    withinMs: 30_000,
    what: 'word that live data is away',
  });
  const exits = await Promise.all(
    services.map(async ({ process }) => {
      const startedAtMs = performance.now();
      const { code } = await process.terminate(exitWithinMs);
      return { code, seconds: Math.round((performance.now() - startedAtMs) / 1000) };
    }),
  );
  t.comment(`exits: ${JSON.stringify(exits)}`);
  t.strictSame(
    exits.map(({ code }) => code),
    services.map(() => 0),
  );
  redis.faults.resume();
  await Promise.all(services.map((service) => service.restart()));
  await traffic.settle(healWithinMs);
  await expectNothingLost(t);
});

interface Member {
  readonly rider: RiderClient;
  readonly heard: Heard;
  readonly trip: number;
  seq(): number | undefined;
}

/** Operators' phones, each watching one of the trips. */
async function gatherCrowd(addressOf: () => string, size = crowdSize): Promise<Member[]> {
  const crowd = Array.from({ length: size }, (_, index): Member => {
    const heard = createHeard();
    const trip = index % journeys.length;
    const rider = createRiderClient({
      ...system.connectionOptions(`watcher-${index}`, 'operator'),
      createSocket: listeningSocket(heard, (url) => addressOf() + new URL(url).pathname),
    });
    let seq: number | undefined;
    rider.watchTrip(journeys[trip]?.tripId ?? '', {
      onPosition: (position) => {
        seq = position.seq;
      },
    });
    return { rider, heard, trip, seq: () => seq };
  });
  await within(Promise.all(crowd.map(({ rider }) => rider.connect())), {
    withinMs: healWithinMs,
    what: 'the crowd on line',
  });
  await waitFor(() => crowd.every((member) => member.seq() !== undefined), {
    withinMs: healWithinMs,
    what: 'a position for everybody',
  });
  return crowd;
}

function closeAll(crowd: readonly Member[]): void {
  for (const { rider } of crowd) rider.close();
}

async function expectNothingLost(t: { strictSame(found: unknown, wanted: unknown): unknown }): Promise<void> {
  const findings = await compareHistory({ client, database: system.database }, journeys);
  t.strictSame(findings, { lost: [], phantom: [], altered: [] });
}

const lastLine = ({ logs }: ServiceProcess, msg: string): LogLine | undefined =>
  logs.findLast((line) => line.msg === msg);
