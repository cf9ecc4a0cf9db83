import { ConfigError } from '@hushryd/platform/config/config-error';
import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { startMetricsServer } from '@hushryd/platform/telemetry/metrics-server';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { readConfig } from './config.ts';
import { startRealtime } from './service.ts';

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const instanceId = createInstanceId('realtime');
  const log = createLogger({ service: 'realtime', instanceId, level: config.logLevel });
  const lifecycle = createLifecycle({ log, timeoutMs: config.shutdownTimeoutMs });
  lifecycle.onSignals();

  const telemetry = createTelemetry({ service: 'realtime', instanceId });
  const metricsServer = await startMetricsServer({
    registry: telemetry.registry,
    host: config.host,
    port: config.metricsPort,
  });
  lifecycle.add('metrics', () => metricsServer.close());

  const { port } = await startRealtime({ config, instanceId, log, telemetry, lifecycle });
  log.info({ host: config.host, port, metricsPort: metricsServer.port }, 'listening');
}

main().catch((error: unknown) => {
  const reason = error instanceof ConfigError ? error.message : (error as Error).stack;
  process.stderr.write(`realtime cannot start. ${reason}\n`);
  process.exit(1);
});
