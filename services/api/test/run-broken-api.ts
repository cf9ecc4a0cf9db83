import { createAlertStore } from '@hushryd/outreach/alerts/alert-store';
import { createRaiseSos } from '@hushryd/outreach/alerts/raise-sos';
import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle, type Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { runMain } from '@hushryd/platform/lifecycle/run-main';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { type ApiConfig, readConfig } from '../src/config.ts';
import type { SosGuards } from '../src/sos/open-sos.ts';
import { startApi } from '../src/start-api.ts';

/** An api as a process whose way in of alerts is broken, for negative controls: whoever checks that guard has to find it out. */
export function runBrokenApi(
  breakRaise: (
    real: ReturnType<typeof createRaiseSos>,
    parts: { config: ApiConfig; lifecycle: Lifecycle },
  ) => ReturnType<SosGuards['createRaiseSos']>,
): void {
  runMain(async () => {
    const config = readConfig(process.env);
    const instanceId = createInstanceId('api');
    const log = createLogger({ service: 'api', instanceId, level: config.logLevel });
    const lifecycle = createLifecycle({ log, timeoutMs: config.shutdownTimeoutMs });
    const guards: SosGuards = {
      createAlertStore,
      createRaiseSos: (parts) => breakRaise(createRaiseSos(parts), { config, lifecycle }),
    };
    const running = await startApi(config, { log, lifecycle, instanceId, guards });
    lifecycle.onSignals();
    log.info({ ...running }, 'listening');
  });
}
