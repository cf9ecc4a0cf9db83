import type { BareFastifyCommands } from './contenders/bare-fastify.ts';
import { interleave } from './interleave.ts';
import type { HttpLoadCommands, HttpLoadInput } from './load/http-load.ts';
import { type HelperProcess, startHelper } from './processes/start-helper.ts';
import type { Stage } from './scenario.ts';
import type { ListeningService } from './system.ts';
import { describeThroughput, meterThroughput, type Throughput } from './throughput.ts';

const connections = 64;
const warmUpSeconds = 6;
/** Connections begin evenly spread, so together they are round sooner than one by one; twice leaves room. */
const leastLaps = 2;
const windowSeconds = 6;

/**
 * Requests a second that the api answers, beside a bare Fastify route that gives the same body; by autocannon, one connection's requests
 * one after another.
 *
 * @throws Error when a single request fails
 */
export async function compareHttp(
  stage: Stage,
  { api, requests }: { api: ListeningService; requests: HttpLoadInput['requests'] },
): Promise<{ ours: Throughput[]; bareFastify: Throughput[] }> {
  const { scope, progress } = stage;
  const bare = await startHelper<BareFastifyCommands>(scope, {
    module: new URL('./contenders/bare-fastify', import.meta.url),
  });
  const load = await startHelper<HttpLoadCommands>(scope, { module: new URL('./load/http-load', import.meta.url) });
  const urls = { ours: `http://127.0.0.1:${api.port}`, bareFastify: `http://127.0.0.1:${await bare.call('listen')}` };
  await bare.call('answerWith', await fetchOne(urls.ours, requests));

  progress('warming up both');
  for (const url of Object.values(urls)) {
    const perSecond = await run(load, { url, requests, connections, seconds: warmUpSeconds });
    // What is asked for the first time is loaded first; that belongs to no round.
    if (perSecond * warmUpSeconds < requests.length * leastLaps)
      throw new Error(`${url} was not warm after ${warmUpSeconds} s`);
  }

  const measureAt = (url: string, pid: number) => () =>
    meterThroughput(pid, () => run(load, { url, requests, connections, seconds: windowSeconds }));
  return interleave({
    rounds: stage.rounds,
    progress,
    contenders: { ours: measureAt(urls.ours, api.pid), bareFastify: measureAt(urls.bareFastify, bare.pid) },
    describe: describeThroughput,
  });
}

async function run(load: HelperProcess<HttpLoadCommands>, input: HttpLoadInput): Promise<number> {
  const { requestsPerSecond, failures } = await load.call('run', input);
  if (failures > 0) throw new Error(`${failures} requests to ${input.url} failed`);
  return requestsPerSecond;
}

/** The body that the baseline gives back, and a look at whether ours gives one at all. */
async function fetchOne(url: string, requests: HttpLoadInput['requests']): Promise<unknown> {
  const [first] = requests;
  const response = await fetch(`${url}${first?.path}`, {
    headers: { ...first?.headers },
    signal: AbortSignal.timeout(5000),
  });
  const body: unknown = await response.json();
  if (response.status !== 200) throw new Error(`${first?.path} answered ${response.status}: ${JSON.stringify(body)}`);
  return body;
}
