import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { runMain } from '@hushryd/platform/lifecycle/run-main';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectMongo } from '@hushryd/platform/mongo/connect';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import type { Collection, Db } from 'mongodb';
import { readConfig } from '../src/config.ts';
import { startWorker } from '../src/worker.ts';

// The negative control of the fault tests: a worker that acknowledges fixes before they are stored. XACK and `durable` follow an
// insert that has only been promised. Whoever checks that nothing durable is lost has to find it out.

const insertLaterMs = 5000;

runMain(async () => {
  const config = readConfig(process.env);
  const workerId = createInstanceId('worker');
  const log = createLogger({ service: 'worker', instanceId: workerId, level: config.logLevel });
  const lifecycle = createLifecycle({ log, timeoutMs: config.shutdownTimeoutMs });
  const mongo = connectMongo({ settings: config.mongo, log });
  lifecycle.add('mongo', () => mongo.close());
  const telemetry = createTelemetry({ service: 'worker', instanceId: workerId });
  const hasty = { ...mongo, db: answerEarly(mongo.db) };
  await startWorker({ config, workerId, mongo: hasty, lifecycle, telemetry, log });
  lifecycle.onSignals();
  log.info({}, 'ready');

  function answerEarly(db: Db): Db {
    return override(db, {
      collection: (name: string) => {
        const collection = db.collection(name);
        return name === 'location_history' ? override(collection, { insertMany: insertLater(collection) }) : collection;
      },
    });
  }

  function insertLater(collection: Collection) {
    return async (...args: Parameters<Collection['insertMany']>) => {
      const [documents] = args;
      setTimeout(() => {
        collection.insertMany(documents).catch((err: unknown) => log.error({ err }, 'lost for good'));
      }, insertLaterMs);
      return { acknowledged: true };
    };
  }
});

/** The object with some of its methods replaced. */
function override<Target extends object>(target: Target, methods: Record<string, unknown>): Target {
  return new Proxy(target, {
    get(object, name) {
      if (typeof name === 'string' && name in methods) return methods[name];
      const value = Reflect.get(object, name, object);
      return typeof value === 'function' ? value.bind(object) : value;
    },
  });
}
