/** A process under a lifecycle, for lifecycle.test.ts: argument 1 says how its steps behave. */
import { createServer } from 'node:http';
import { createLifecycle } from '../src/lifecycle/lifecycle.ts';
import { createLogger } from '../src/logging/create-logger.ts';

const [, , behaviour] = process.argv;
const log = createLogger({ service: 'child', instanceId: 'child-1', level: 'info' });
const lifecycle = createLifecycle({ log, timeoutMs: behaviour === 'stuck-short' ? 300 : 20_000 });

const server = createServer().listen(0, '127.0.0.1');
lifecycle.add('server', () => new Promise((resolve) => server.close(() => resolve())));
lifecycle.add('second', async () => {
  log.info({ step: 'second', isClosing: lifecycle.isClosing } as object, 'closing');
  lifecycle.report('socketsDrained', 12);
  if (behaviour === 'failing') throw new Error('cannot close');
  if (behaviour?.startsWith('stuck')) await new Promise(() => {});
});
lifecycle.add('third', () => log.info({ step: 'third' }, 'closing'));
lifecycle.onSignals();

server.once('listening', () => log.info('started'));
if (behaviour === 'uncaught') setImmediate(() => server.emit('error', new Error('nobody listens')));
if (behaviour === 'unhandled') setImmediate(() => void Promise.reject(new Error('nobody awaits')));
