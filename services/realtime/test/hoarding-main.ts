import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { readConfig } from '../src/config.ts';
import { Connection } from '../src/connections/connection.ts';
import { startRealtime } from '../src/service.ts';

// A realtime node that forgets no socket and nothing that was sent to it: the negative control of whoever says that sockets leave nothing
// behind.

const kept: unknown[] = [];
const { closed, send } = Connection.prototype;
Connection.prototype.closed = function keptWhenClosed() {
  kept.push(this);
  closed.call(this);
};
Connection.prototype.send = function keptWhenSent(frame, deliveryClass) {
  kept.push(frame);
  return send.call(this, frame, deliveryClass);
};

const config = readConfig(process.env);
const instanceId = createInstanceId('realtime');
const log = createLogger({ service: 'realtime', instanceId, level: config.logLevel });
const lifecycle = createLifecycle({ log, timeoutMs: config.shutdownTimeoutMs });
lifecycle.onSignals();
const telemetry = createTelemetry({ service: 'realtime', instanceId });
const { port } = await startRealtime({ config, instanceId, log, telemetry, lifecycle });
log.info({ port }, 'listening');
