import { ConfigError } from '@hushryd/platform/config/config-error';
import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { type ApiConfig, readConfig } from './config.ts';
import { startApi } from './start-api.ts';

const service = 'api';
const config = readConfigOrExit();
const instanceId = createInstanceId(service);
const log = createLogger({ service, instanceId, level: config.logLevel });
const lifecycle = createLifecycle({ log, timeoutMs: config.shutdownTimeoutMs });
lifecycle.onSignals();

try {
  log.info({ ...(await startApi(config, { log, lifecycle, instanceId })) }, 'listening');
} catch (err) {
  if (err instanceof ConfigError) process.stderr.write(`${err.message}\n`);
  else log.fatal({ err }, 'the api could not start');
  await lifecycle.close('start failed');
  process.exit(1);
}

function readConfigOrExit(): ApiConfig {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
