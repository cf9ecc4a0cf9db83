import type { AddressInfo } from 'node:net';
import type { SendOtp } from '@hushryd/outreach/people/codes/send-otp';
import { parseKeyRing } from '@hushryd/platform/auth/key-ring';
import { createTokenVerifier } from '@hushryd/platform/auth/verify-token';
import { ConfigError } from '@hushryd/platform/config/config-error';
import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import type { Logger } from '@hushryd/platform/logging/logger';
import { startMetricsServer } from '@hushryd/platform/telemetry/metrics-server';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import type { ApiServer } from './api-server.ts';
import { createApp } from './app.ts';
import { prepareClose } from './close-listener.ts';
import type { ApiConfig } from './config.ts';
import { createInternalApp } from './internal/internal-app.ts';
import { openParts } from './open-parts.ts';
import type { SosGuards } from './sos/open-sos.ts';

export interface RunningApi {
  port: number;
  internalPort: number;
  metricsPort: number;
}

/** Of the time for shutting down, what requests in flight may use; the rest is for what they stand on. */
const drainShare = 0.6;

/** How long after the database's own deadline a request is given up. */
const replyMarginMs = 1_000;

/**
 * Everything of the service, in order: stores, metrics, internal listener, front door. What was started is closed by `lifecycle` in
 * reverse, so the front door goes first and the stores last.
 *
 * @param guards others than the real ones are for negative controls, which show that a broken one is found out
 * @param sendOtp carries one-time codes; without it they cannot be asked for
 * @throws ConfigError for a taken port, a key ring that cannot be read, or a Redis that may not be used
 */
export async function startApi(
  config: ApiConfig,
  {
    log,
    lifecycle,
    instanceId,
    guards,
    sendOtp,
  }: {
    log: Logger;
    lifecycle: Lifecycle;
    instanceId: string;
    guards?: SosGuards | undefined;
    sendOtp?: SendOtp | undefined;
  },
): Promise<RunningApi> {
  const telemetry = createTelemetry({ service: 'api', instanceId });
  const tokens = createTokenVerifier({
    ring: parseKeyRing(config.tokens.publicKeysJson),
    issuer: config.tokens.issuer,
    audiences: ['user', 'admin'],
  });
  const parts = await openParts(config, { log, telemetry, lifecycle, instanceId, guards, sendOtp });

  const metrics = await startMetricsServer({
    registry: telemetry.registry,
    host: config.host,
    port: config.metricsPort,
  });
  lifecycle.add('metrics', () => metrics.close());

  const internal = createInternalApp({ ...parts, serviceToken: config.tokens.serviceToken });
  const closeInternal = prepareClose(internal);
  const internalPort = await listen(internal, {
    host: config.internalHost,
    port: config.internalPort,
    setting: 'INTERNAL_PORT',
  });
  lifecycle.add('internal listener', () => closeInternal(1_000));

  const api = await createApp(
    {
      ...config,
      instanceId,
      deadlineMs: config.mongo.deadlineMs + replyMarginMs,
      isDraining: () => lifecycle.isClosing,
    },
    { tokens, parts },
  );
  const closeFrontDoor = prepareClose(api.app);
  const port = await listen(api.app, { host: config.host, port: config.port, setting: 'PORT' });
  lifecycle.add('front door', async () => {
    const finishedBefore = api.finishedCount;
    await closeFrontDoor(config.shutdownTimeoutMs * drainShare);
    lifecycle.report('requestsFinished', api.finishedCount - finishedBefore);
    lifecycle.report('requestsAborted', api.abortedCount);
  });
  return { port, internalPort, metricsPort: metrics.port };
}

async function listen(
  app: ApiServer,
  { host, port, setting }: { host: string; port: number; setting: string },
): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined || !code.startsWith('E')) throw cause;
    throw new ConfigError(
      `Cannot listen on ${host}:${port} (${code}): set ${setting} to a free port, or HOST to an address of this machine.`,
      { cause },
    );
  }
  return (app.server.address() as AddressInfo).port;
}
