import { parseArgs } from 'node:util';
import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { runMain } from '@hushryd/platform/lifecycle/run-main';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectMongo } from '@hushryd/platform/mongo/connect';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { declareCollections } from './collections.ts';
import { readConfig } from './config.ts';
import { startWorker } from './worker.ts';

runMain(async () => {
  const { values: options } = parseArgs({ options: { 'ensure-collections': { type: 'boolean', default: false } } });
  const config = readConfig(process.env);
  const instanceId = createInstanceId('worker');
  const log = createLogger({ service: 'worker', instanceId, level: config.logLevel });
  const lifecycle = createLifecycle({ log, timeoutMs: config.shutdownTimeoutMs });

  const mongo = connectMongo({ settings: config.mongo, log });
  lifecycle.add('mongo', () => mongo.close());
  await ensureCollections(mongo.db, declareCollections(config));
  if (options['ensure-collections']) {
    log.info({}, 'collections and indexes are in place');
    await lifecycle.close('done');
    return;
  }

  const telemetry = createTelemetry({ service: 'worker', instanceId });
  await startWorker({ config, workerId: instanceId, mongo, lifecycle, telemetry, log });
  lifecycle.onSignals();
  log.info({}, 'ready');
});
