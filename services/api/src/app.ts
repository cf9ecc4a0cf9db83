import type { TokenVerifier } from '@hushryd/platform/auth/verify-token';
import { readCorrelationId } from '@hushryd/platform/errors/correlation-id';
import { createNearbyDrivers } from '@hushryd/tracking/nearby/nearby-drivers';
import Fastify from 'fastify';
import type { ApiServer } from './api-server.ts';
import { createAuditOrder } from './audit-order.ts';
import { createPostFixes } from './drivers/post-fixes.ts';
import { addDriverRoutes } from './drivers/routes.ts';
import { addMapRoutes } from './map/routes.ts';
import type { ApiParts } from './open-parts.ts';
import { addCorrelationId } from './plugins/correlation-id.ts';
import { addCors } from './plugins/cors.ts';
import { addDraining } from './plugins/draining.ts';
import { addErrorReplies, createErrorReplies } from './plugins/error-replies.ts';
import { addHealth } from './plugins/health.ts';
import { collectMethods } from './plugins/method-not-allowed.ts';
import { addMetrics } from './plugins/metrics.ts';
import { addOpenApi, referencePath } from './plugins/openapi.ts';
import { addRouteRules } from './plugins/route-rules.ts';
import { addSecurityHeaders } from './plugins/security-headers.ts';
import { compileValidator } from './plugins/validate.ts';
import { addRealtimeRoutes } from './realtime/routes.ts';
import { addSessionRoutes } from './sessions/routes.ts';
import { addTripEventRoutes } from './trip-events/routes.ts';
import { createAuditReading } from './trips/audit-reading.ts';
import { createGetLocation } from './trips/get-location.ts';
import { addLocationRoutes } from './trips/location-routes.ts';
import { createPositionWaiters } from './trips/position-waiters.ts';
import { addTripRoutes } from './trips/routes.ts';
import { addTrackRoutes } from './trips/track-routes.ts';
import { addUserRoutes } from './users/routes.ts';

export interface ApiSettings {
  instanceId: string;
  region: string;
  corsOrigins: readonly string[];
  trustedProxies: readonly string[];
  longPollMaxWaiters: number;
  /** From the request to the reply, on routes that do not say otherwise. */
  deadlineMs: number;
  isDraining: () => boolean;
}

export interface ApiApp {
  app: ApiServer;
  /** Requests since the start that were answered, and whose caller went away first. */
  readonly finishedCount: number;
  readonly abortedCount: number;
}

/** The HTTP front door: its plugins and features, in order. */
export async function createApp(
  settings: ApiSettings,
  { tokens, parts }: { tokens: TokenVerifier; parts: ApiParts },
): Promise<ApiApp> {
  const { log, telemetry } = parts;
  const replyWithError = createErrorReplies(log);
  const app: ApiServer = Fastify({
    logger: false,
    genReqId: ({ headers }) => readCorrelationId(headers['x-request-id']),
    frameworkErrors: replyWithError,
    trustProxy: settings.trustedProxies.length === 0 ? false : [...settings.trustedProxies],
    bodyLimit: 262_144,
    requestTimeout: 15_000,
    // Draining answers with our own problem, see plugins/draining.ts.
    return503OnClosing: false,
  });
  app.setValidatorCompiler(compileValidator);
  app.removeContentTypeParser('text/plain');

  const addMethodReplies = collectMethods(app);
  addErrorReplies(app, replyWithError);
  const metrics = addMetrics(app, telemetry);
  addCorrelationId(app);
  addSecurityHeaders(app);
  addRouteRules(app, {
    tokens,
    revocations: parts.revocations,
    deadlineMs: settings.deadlineMs,
    openPrefix: referencePath,
  });
  addCors(app, { origins: settings.corsOrigins });
  addDraining(app, settings.isDraining);
  await addOpenApi(app);
  addHealth(app, { ...settings, dependencies: parts.pings });

  const audit = createAuditReading(log);
  const waiters = createPositionWaiters({ ...parts, maxWaiters: settings.longPollMaxWaiters });
  app.addHook('preClose', async () => {
    waiters.close();
    parts.tripStreams.drain();
  });

  addTripRoutes(app, { ...parts, region: settings.region, audit });
  addLocationRoutes(app, createGetLocation({ ...parts, waiters }));
  addTripEventRoutes(app, parts.tripStreams);
  addTrackRoutes(app, { ...parts, audit, deadlineMs: settings.deadlineMs });
  addDriverRoutes(app, {
    ...parts,
    postFixes: createPostFixes({ ...parts, limits: parts.acceptLimits }),
    nearbyDrivers: createNearbyDrivers(parts),
  });
  addMapRoutes(app, parts.roads);
  addRealtimeRoutes(app, parts);
  const auditOrder = createAuditOrder(log);
  addSessionRoutes(app, { ...parts.signOut, log }, auditOrder);
  addUserRoutes(app, { ...parts, auditOrder });
  addMethodReplies();

  await app.ready();
  return {
    app,
    get finishedCount() {
      return metrics.finishedCount;
    },
    get abortedCount() {
      return metrics.abortedCount;
    },
  };
}
