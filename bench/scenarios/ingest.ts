import { assertAllTaken } from '../harness/assert-all-taken.ts';
import { driverId } from '../harness/city.ts';
import type { BareUwsCommands } from '../harness/contenders/bare-uws.ts';
import { interleave } from '../harness/interleave.ts';
import { openLiveRedis } from '../harness/live-redis.ts';
import { type LoadProcess, startLoad } from '../harness/load/start-load.ts';
import { formatNumber } from '../harness/print-table.ts';
import { createCpuMeter } from '../harness/processes/process-usage.ts';
import { startHelper } from '../harness/processes/start-helper.ts';
import type { Scenario, Stage } from '../harness/scenario.ts';
import { sleepMs } from '../harness/sleep.ts';
import { startTrips } from '../harness/start-trips.ts';
import { createSystem } from '../harness/system.ts';
import { describeThroughput, measureThroughput, meterThroughput, type Throughput } from '../harness/throughput.ts';

interface IngestShape {
  readonly fixesPerFrame: number;
  readonly drivers: number;
  /** Frames that each phone has on the way at the same time. */
  readonly framesInFlight: number;
  readonly atLeast: number;
}

const warmUpMs = 1500;
const windowMs = 5000;

export const ingestBatches = createIngest(
  'ingest-batches',
  'fixes acknowledged in batches of 10, one realtime process',
  {
    fixesPerFrame: 10,
    drivers: 1000,
    framesInFlight: 1,
    atLeast: 50_000,
  },
);

export const ingestSingle = createIngest('ingest-single', 'fixes acknowledged in frames of one, one realtime process', {
  fixesPerFrame: 1,
  drivers: 1000,
  framesInFlight: 4,
  atLeast: 20_000,
});

function createIngest(name: string, summary: string, shape: IngestShape): Scenario {
  return { name, summary, maxSeconds: 180, run: (stage) => run(name, stage, shape) };
}

/**
 * Phones on a trip that send again as soon as they are answered: the most that one process takes. Every fix is checked, judged, written
 * by the script that guards order, and only then acknowledged. The baseline parses and answers, and keeps nothing.
 */
async function run(name: string, stage: Stage, shape: IngestShape) {
  const { scope, progress } = stage;
  const system = await createSystem(stage);
  await startTrips(await openLiveRedis(scope, system.redis), shape.drivers);
  const realtime = await system.startRealtime();
  const bare = await startHelper<BareUwsCommands>(scope, {
    module: new URL('../harness/contenders/bare-uws', import.meta.url),
  });

  progress(`${formatNumber(shape.drivers)} phones connect to each`);
  const drivers = Array.from({ length: shape.drivers }, (_, driver) => ({
    driver,
    token: system.issuer.token(driverId(driver), 'driver'),
  }));
  const open = async (port: number) => {
    const load = await startLoad(scope);
    await load.call('openDrivers', { ...shape, port, drivers });
    return load;
  };
  const oursLoad = await open(realtime.port);
  const bareLoad = await open(await bare.call('listen'));

  const generatorPercents: number[] = [];
  const samples = await interleave({
    rounds: stage.rounds,
    progress,
    contenders: {
      ours: async () => {
        const generator = createCpuMeter(oursLoad.pid);
        const sample = await saturate(oursLoad, realtime.pid);
        generatorPercents.push(generator.percent());
        return sample;
      },
      'bare uWS': () => saturate(bareLoad, bare.pid),
    },
    describe: describeThroughput,
  });
  stage.note(`the generator used ${formatNumber(Math.max(...generatorPercents))} % of a core.`);
  return measureThroughput({
    scenario: name,
    metric: 'fixes acknowledged',
    ours: samples.ours,
    baseline: { name: 'bare uWS, kept nowhere', samples: samples['bare uWS'] },
    limits: [{ atLeast: shape.atLeast }],
  });
}

async function saturate(load: LoadProcess, pid: number): Promise<Throughput> {
  await load.call('startSaturating');
  await sleepMs(warmUpMs);
  const sample = await meterThroughput(pid, async () => {
    const before = await load.call('driverCounts');
    await sleepMs(windowMs);
    const after = await load.call('driverCounts');
    assertAllTaken(after);
    return ((after.acknowledgedFixes - before.acknowledgedFixes) * 1000) / (after.atMs - before.atMs);
  });
  await load.call('stopSaturating');
  await sleepMs(500);
  return sample;
}
