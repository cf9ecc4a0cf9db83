import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { runMain } from '@hushryd/platform/lifecycle/run-main';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { readSandboxConfig } from './config.ts';
import { createCredentials, keepCredentials } from './credentials.ts';
import { startSandbox } from './start-sandbox.ts';

/** The sandbox as a process of its own. Services learn how to reach it from `GET /sandbox/environment`. */
runMain(async () => {
  const { logLevel, shutdownTimeoutMs, credentialsFile, ...options } = readSandboxConfig(process.env);
  const log = createLogger({ service: 'sandbox', instanceId: createInstanceId('sandbox'), level: logLevel });
  const lifecycle = createLifecycle({ log, timeoutMs: shutdownTimeoutMs });
  const credentials = credentialsFile === undefined ? createCredentials() : keepCredentials(credentialsFile);
  const sandbox = await startSandbox({ ...options, credentials, log });
  lifecycle.add('sandbox', sandbox.close);
  lifecycle.onSignals();
  log.info({ host: options.host, port: sandbox.port }, 'listening');
});
