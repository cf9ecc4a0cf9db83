import { readFileSync } from 'node:fs';
import { EngineError, type OnProgress } from '@hushryd/platform/engines/engine';
import { findMongo } from '@hushryd/platform/engines/find-mongo';
import { findRedis } from '@hushryd/platform/engines/find-redis';
import { startCluster } from '@hushryd/platform/engines/start-cluster';
import { startSentinels } from '@hushryd/platform/engines/start-sentinels';
import { findChromium } from '../browser/find-chromium.ts';

/** What all test files share, as the environment they read it from. */
export interface TestResources {
  readonly env: Record<string, string>;
  readonly descriptions: readonly string[];
  stop(): Promise<void>;
}

/**
 * One Redis and one MongoDB for all test files (each keeps to a prefix and a database of its own), and a Chromium for those
 * that need a browser. Tests that kill or pause an engine start their own.
 *
 * @throws EngineError when there is no Redis or no MongoDB to be had. A missing Chromium is no error: its tests skip, with the reason.
 */
export async function findResources(input: {
  files: readonly string[];
  env: Record<string, string | undefined>;
}): Promise<TestResources> {
  const onProgress = createTeller();
  const redis = await findTestRedis(input.env, onProgress);
  const mongo = await findMongo({ url: input.env.MONGODB_URL || input.env.MONGODB_URI, onProgress }).catch(
    async (error: unknown) => {
      await redis.stop();
      throw error;
    },
  );
  const chromium = await findChromium({
    path: input.env.CHROMIUM_PATH,
    mayInstall: input.files.length === 0 || input.files.some(drivesBrowser),
    onProgress,
  });

  return {
    env: {
      ...redis.variables,
      MONGODB_URL: mongo.url,
      ...('program' in chromium ? { CHROMIUM_PATH: chromium.program } : { CHROMIUM_MISSING: chromium.reason }),
    },
    descriptions: [
      redis.description,
      mongo.description,
      'program' in chromium ? `Chromium ${chromium.version} (${chromium.program})` : chromium.reason,
    ],
    stop: async () => {
      await Promise.all([redis.stop(), mongo.stop()]);
    },
  };
}

interface SharedRedis {
  readonly variables: Readonly<Record<string, string>>;
  readonly description: string;
  stop(): Promise<void>;
}

/**
 * TEST_REDIS_TOPOLOGY asks for a `cluster` or a Redis behind a `sentinel`, started here. Without it: the one that REDIS_URL names (several
 * servers too, the other variables then come from the caller's environment), or a single server.
 */
async function findTestRedis(env: Record<string, string | undefined>, onProgress: OnProgress): Promise<SharedRedis> {
  const topology = env.TEST_REDIS_TOPOLOGY || 'standalone';
  if (topology === 'cluster') return startCluster({ onProgress });
  if (topology === 'sentinel') return startSentinels({ onProgress });
  if (topology !== 'standalone') {
    throw new EngineError(`TEST_REDIS_TOPOLOGY is "${topology}": set it to standalone, cluster or sentinel.`);
  }
  const isSeveral = env.REDIS_CLUSTER_MODE === 'true' || Boolean(env.REDIS_SENTINELS);
  const redis = isSeveral && env.REDIS_URL ? undefined : await findRedis({ url: env.REDIS_URL, onProgress });
  return {
    variables: { REDIS_URL: redis?.url ?? env.REDIS_URL ?? '' },
    description: redis?.description ?? 'several Redis servers of yours',
    stop: async () => redis?.stop(),
  };
}

export function isKnownTrouble(error: unknown): error is EngineError {
  return error instanceof EngineError;
}

function drivesBrowser(file: string): boolean {
  try {
    return /playwright|chromium/i.test(readFileSync(file, 'utf8'));
  } catch (error) {
    // A folder or a pattern: tap knows what to do with it.
    if (error instanceof Error && 'code' in error) return true;
    throw error;
  }
}

/** A line when a step begins and one every ten seconds while it lasts. */
function createTeller(): OnProgress {
  return ({ what, elapsedSeconds }) => {
    if (elapsedSeconds % 10 === 0) console.log(`  ${what} … ${elapsedSeconds} s`);
  };
}
