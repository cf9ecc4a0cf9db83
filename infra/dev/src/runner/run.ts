import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { dataRoot } from '@hushryd/platform/engines/data-root';
import { findMongo } from '@hushryd/platform/engines/find-mongo';
import { findRedis } from '@hushryd/platform/engines/find-redis';
import { loadFieldKeys } from '../issuer/field-keys.ts';
import { readTrips } from '../replay/read-trips.ts';
import { StartError } from '../start-error.ts';
import { checkPorts } from './check-ports.ts';
import type { Closing } from './closing.ts';
import { openDataFolder } from './data-folder.ts';
import { openDoor } from './open-door.ts';
import { needHaproxy, openFrontDoor } from './open-front-door.ts';
import { hasOwnCompanies, planMessages, planSandbox } from './plan-messages.ts';
import type { StartOptions } from './read-options.ts';
import { screenText } from './screen.ts';
import { planServices, type ServicePlan } from './service-plan.ts';
import { type Crash, startService } from './service-process.ts';
import type { Progress } from './show-progress.ts';
import { waitUntilReady } from './wait-until-ready.ts';

export interface RunInput {
  readonly options: StartOptions;
  readonly closing: Closing;
  readonly progress: Progress;
  /** Aborted as soon as everything has to end. */
  readonly signal: AbortSignal;
  /** Called when something ended that should not have. */
  readonly onCrash: (crash: Crash) => void;
  /** For the screen. */
  readonly tell: (text: string) => void;
}

export interface Running {
  /** The address of the console with a code that works once, for ten minutes. */
  newLink(): string;
}

/**
 * Start everything and print the screen. What was started is added to `closing` at once, so that the caller can end it whatever happens here.
 *
 * @throws StartError, EngineError: one sentence for the person; the signal's reason when it is aborted meanwhile
 */
export async function run(input: RunInput): Promise<Running> {
  const { options, closing, progress, signal, tell } = input;
  const { ports, frontDoor, fleet, mapStyleUrl } = options;
  const root = options.dataDir ?? dataRoot();
  // The workspace around the data folder that is ours by default; with --data the services still come from here.
  const rootDir = resolve(dataRoot(), '..');

  const data = await openDataFolder(root);
  closing.add({ name: 'the data folder', stop: async () => data.release() });
  await checkPorts(ports, frontDoor);
  if (fleet.kind === 'replay') await readTrips(fleet.file);
  const haproxy = frontDoor && (await needHaproxy(progress.onProgress));
  signal.throwIfAborted();

  const start = (plan: ServicePlan) => {
    const service = startService({ plan, rootDir, logsDir: data.logsDir, onCrash: input.onCrash });
    closing.add({ name: plan.name, stop: () => endOrSay(service), kill: service.kill });
  };
  // It needs no store, so it comes up beside them.
  const hasInbox = !hasOwnCompanies(process.env);
  const inbox = planSandbox({ rootDir, ports, keysDir: data.keysDir });
  if (hasInbox) start(inbox);

  const engines = await startEngines(input, root);
  const fleetSecret = randomBytes(32).toString('base64url');
  const door = await openDoor({ data, ports, frontDoor, fleet, mapStyleUrl, fleetSecret, rootDir, hasInbox, tell });
  closing.add({ name: 'the console', stop: door.close });
  signal.throwIfAborted();

  if (hasInbox) await waitUntilReady({ name: inbox.name, url: inbox.readyUrl, signal });
  const plans = planServices({
    rootDir,
    ports,
    frontDoor,
    fleet,
    redisUrl: engines.redis.url,
    mongoUrl: engines.mongo.url,
    publicKeysFile: door.publicKeysFile,
    fieldKeys: await loadFieldKeys(data.keysDir),
    serviceToken: randomBytes(32).toString('base64url'),
    fleetSecret,
    journalDir: join(root, 'sos-journal'),
    messagesEnv: await planMessages({ ports, hasInbox, variables: process.env }),
  });
  const services = plans.filter((plan) => plan.readyUrl !== undefined);
  await progress.during(`starting ${services.map((plan) => plan.name).join(', ')}`, async () => {
    for (const plan of services) start(plan);
    await Promise.all(services.map(({ name, readyUrl = '' }) => waitUntilReady({ name, url: readyUrl, signal })));
  });
  if (frontDoor && haproxy) await openFrontDoor({ ...input, frontDoor, haproxy, rootDir, logsDir: data.logsDir });
  for (const plan of plans.filter((candidate) => candidate.readyUrl === undefined)) start(plan);

  const facts = { ports, frontDoor, fleet, logsDir: data.logsDir, isTerminal: process.stdin.isTTY === true };
  const descriptions = [engines.redis.description, engines.mongo.description];
  tell(
    screenText({
      ...facts,
      link: door.newLink(),
      hasInbox,
      engines: descriptions,
      readyAfterSeconds: process.uptime(),
    }),
  );
  return { newLink: door.newLink };
}

async function startEngines({ closing, progress, signal, onCrash }: RunInput, root: string) {
  const onUnexpectedEnd = (sentence: string) => onCrash({ sentence, logTail: [] });
  const { onProgress } = progress;
  const shared = { persistent: true, onProgress, onUnexpectedEnd };
  const { REDIS_URL, MONGODB_URL, MONGODB_URI } = process.env;

  const redis = await findRedis({ ...shared, url: REDIS_URL, dataDir: join(root, 'redis') });
  closing.add({ name: redis.name, stop: redis.stop, kill: killThenStop(redis) });
  signal.throwIfAborted();
  const mongo = await findMongo({ ...shared, url: MONGODB_URL || MONGODB_URI, dataDir: join(root, 'mongo') });
  closing.add({ name: mongo.name, stop: mongo.stop, kill: killThenStop(mongo) });
  progress.clear();
  signal.throwIfAborted();
  return { redis, mongo };
}

/** Both engines sync every commit, so a sudden end loses nothing that was acknowledged. */
function killThenStop(engine: { faults?: { kill9(): Promise<void> } | undefined; stop(): Promise<void> }) {
  return async () => {
    await engine.faults?.kill9();
    await engine.stop();
  };
}

async function endOrSay(service: { name: string; stop(): Promise<boolean> }): Promise<void> {
  if (!(await service.stop())) throw new StartError(`${service.name} did not end in time and was killed`);
}
