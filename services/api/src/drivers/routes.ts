import {
  AvailabilityReplySchema,
  CreateRunBodySchema,
  DriverParamsSchema,
  FixesReplySchema,
  NearbyDriversQuerySchema,
  NearbyDriversReplySchema,
  PostFixesBodySchema,
  PutAvailabilityBodySchema,
  RunReplySchema,
} from '@hushryd/contracts/http/drivers';
import { LocationReplySchema } from '@hushryd/contracts/http/trips';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { DriverStore } from '@hushryd/rides/people/driver-store';
import { setAvailability } from '@hushryd/rides/people/set-availability';
import type { DriverStates } from '@hushryd/tracking/driver-state/driver-states';
import type { createNearbyDrivers } from '@hushryd/tracking/nearby/nearby-drivers';
import type { PositionReader } from '@hushryd/tracking/positions/read-position';
import type { Runs } from '@hushryd/tracking/runs/allot-run';
import { mayWatchDriver } from '@hushryd/tracking/trip-access/access-rules';
import type { ApiServer } from '../api-server.ts';
import { etagOf, isKnown, NotModifiedSchema, toLocation, toLocationReply } from '../location-reply.ts';
import type { createPostFixes } from './post-fixes.ts';

const tags = ['drivers'];
const driversOnly = ['driver'] as const;

export interface DriverRouteParts {
  positions: PositionReader;
  runs: Runs;
  postFixes: ReturnType<typeof createPostFixes>;
  nearbyDrivers: ReturnType<typeof createNearbyDrivers>;
  drivers: DriverStore;
  driverStates: DriverStates;
  log: Logger;
}

/** What a driver's phone sends over HTTP, and where drivers are. */
export function addDriverRoutes(app: ApiServer, parts: DriverRouteParts): void {
  const { positions, runs, postFixes, nearbyDrivers, drivers, driverStates, log } = parts;

  app.get(
    '/v1/drivers/nearby',
    {
      config: { roles: ['rider', 'operator'], ownDeadline: true },
      schema: {
        tags,
        operationId: 'nearbyDrivers',
        summary: 'Drivers near a point, nearest first',
        description:
          'Riders see at most 10 available drivers within 5 km, to 4 decimals and under ids that change every ten minutes; their radius is rounded up to 100 m.',
        querystring: NearbyDriversQuerySchema,
        response: { 200: NearbyDriversReplySchema },
      },
      serializerCompiler: () => JSON.stringify,
    },
    ({ identity, query }) => nearbyDrivers(identity, query),
  );

  app.get(
    '/v1/drivers/:id/location',
    {
      config: { roles: ['driver', 'operator'], ownDeadline: true },
      schema: {
        tags,
        operationId: 'getDriverLocation',
        summary: 'Where a driver is',
        params: DriverParamsSchema,
        response: { 200: LocationReplySchema, 304: NotModifiedSchema },
      },
      serializerCompiler: () => JSON.stringify,
    },
    async ({ identity, params, headers }, reply) => {
      if (!mayWatchDriver(identity, params.id)) throw new AppError('not_found');
      const position = await positions.read(params.id);
      const etag = etagOf(position);
      reply.header('etag', etag);
      if (isKnown(headers['if-none-match'], etag)) return reply.code(304).send(undefined);
      return toLocationReply(position, Date.now());
    },
  );

  app.put(
    '/v1/drivers/me/availability',
    {
      config: { roles: driversOnly },
      schema: {
        tags,
        operationId: 'putAvailability',
        summary: 'Take rides, or take none',
        body: PutAvailabilityBodySchema,
        response: { 200: AvailabilityReplySchema },
      },
    },
    async ({ identity, body }) => {
      const declared = { driverId: identity.userId, available: body.available };
      const { changedAt, version } = await setAvailability({ store: drivers, driverStates, log }, declared);
      return { ...declared, changedAt: changedAt.toISOString(), version };
    },
  );

  app.post(
    '/v1/drivers/me/runs',
    {
      config: { roles: driversOnly },
      schema: {
        tags,
        operationId: 'createRun',
        summary: 'Begin a numbering of fixes, or go on with one',
        body: CreateRunBodySchema,
        response: { 200: RunReplySchema },
      },
    },
    async ({ identity, body }) => {
      const { run, durableSeq, position } = await runs.hello({ driverId: identity.userId, ...body });
      return { run, durableSeq, location: position === null ? null : toLocation(position, Date.now()) };
    },
  );

  app.post(
    '/v1/drivers/me/fixes',
    {
      config: { roles: driversOnly, ownDeadline: true },
      schema: {
        tags,
        operationId: 'postFixes',
        summary: 'Send fixes',
        description: 'Keep each fix until `durableSeq` has reached it. An empty list asks for `durableSeq` alone.',
        body: PostFixesBodySchema,
        response: { 200: FixesReplySchema },
      },
    },
    ({ identity, body }) => postFixes(identity.userId, body),
  );
}
