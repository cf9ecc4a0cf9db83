import {
  CreateTripBodySchema,
  ListTripsQuerySchema,
  ListTripsReplySchema,
  NearbyTripsQuerySchema,
  NearbyTripsReplySchema,
  PutPassengersBodySchema,
  TripParamsSchema,
} from '@hushryd/contracts/http/trips';
import { TripSchema } from '@hushryd/contracts/trip';
import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { TripWork } from '@hushryd/rides/trips/change-trip';
import { createTrip } from '@hushryd/rides/trips/create-trip';
import { endTrip } from '@hushryd/rides/trips/end-trip';
import { putPassengers } from '@hushryd/rides/trips/put-passengers';
import { searchTrips } from '@hushryd/rides/trips/search-trips';
import { startTrip } from '@hushryd/rides/trips/start-trip';
import { toTripAccess } from '@hushryd/rides/trips/to-trip-access';
import { type TripDocument, toTrip } from '@hushryd/rides/trips/trip-document';
import { mayChangeTrip, mayCreateTrip, showTrip } from '@hushryd/rides/trips/trip-rules';
import type { NearbyIndex } from '@hushryd/tracking/nearby/nearby-index';
import { mayReadTrip } from '@hushryd/tracking/trip-access/access-rules';
import Type from 'typebox';
import type { ApiServer } from '../api-server.ts';
import { NoBodySchema } from '../no-body.ts';
import type { AuditReading } from './audit-reading.ts';
import { findNearbyTrips } from './nearby-trips.ts';

const tags = ['trips'];
const everyone = ['driver', 'rider', 'operator'] as const;
const whoChanges = ['driver', 'operator'] as const;
const staff = ['operator'] as const;

const CreateTripHeadersSchema = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ pattern: '^[\\x21-\\x7e]{1,200}$', description: 'the same key with the same body makes one trip' }),
  ),
});

/** Planning, riding and finding trips. Where a trip is, and was: location-routes.ts and track-routes.ts. */
export function addTripRoutes(
  app: ApiServer,
  { work, nearby, region, audit }: { work: TripWork; nearby: NearbyIndex; region: string; audit: AuditReading },
): void {
  app.post(
    '/v1/trips',
    {
      config: { roles: whoChanges },
      schema: {
        tags,
        operationId: 'createTrip',
        summary: 'Plan a trip',
        headers: CreateTripHeadersSchema,
        body: CreateTripBodySchema,
        response: { 201: TripSchema },
      },
    },
    async ({ identity, body, headers }, reply) => {
      if (!mayCreateTrip(identity, body.driverId)) throw new AppError('forbidden');
      const { trip, isNew } = await createTrip(work, {
        request: body,
        userId: identity.userId,
        key: headers['idempotency-key'],
        region,
      });
      if (!isNew) reply.header('idempotent-replayed', 'true');
      return reply
        .code(201)
        .header('location', `/v1/trips/${trip._id}`)
        .send(showTrip(identity, toTrip(trip)));
    },
  );

  app.get(
    '/v1/trips',
    {
      config: { roles: staff },
      schema: {
        tags,
        operationId: 'listTrips',
        summary: 'Find trips, newest first',
        querystring: ListTripsQuerySchema,
        response: { 200: ListTripsReplySchema },
      },
    },
    async ({ query }) => {
      const { trips, nextCursor } = await searchTrips(work.store, { ...query, limit: query.limit ?? 50 });
      return { trips: trips.map(toTrip), nextCursor };
    },
  );

  app.get(
    '/v1/trips/nearby',
    {
      config: { roles: staff },
      schema: {
        tags,
        operationId: 'nearbyTrips',
        summary: 'Active trips near a point, nearest first',
        querystring: NearbyTripsQuerySchema,
        response: { 200: NearbyTripsReplySchema },
      },
    },
    async ({ query }) => findNearbyTrips(nearby, query, Date.now()),
  );

  app.get(
    '/v1/trips/:id',
    {
      config: { roles: everyone },
      schema: {
        tags,
        operationId: 'getTrip',
        summary: 'One trip',
        params: TripParamsSchema,
        response: { 200: TripSchema },
      },
    },
    async ({ identity, params }) => {
      const trip = await work.store.findById(params.id);
      if (trip === null || !mayReadTrip(identity, toTripAccess(trip))) throw new AppError('not_found');
      audit(identity, toTripAccess(trip), 'trip');
      return showTrip(identity, toTrip(trip));
    },
  );

  const commands = [
    { name: 'start', operationId: 'startTrip', summary: 'Start a planned trip', run: startTrip },
    { name: 'end', operationId: 'endTrip', summary: 'End an active trip', run: endTrip },
  ];
  for (const { name, operationId, summary, run } of commands) {
    app.post(
      `/v1/trips/:id/${name}`,
      {
        config: { roles: whoChanges },
        schema: {
          tags,
          operationId,
          summary,
          params: TripParamsSchema,
          body: NoBodySchema,
          response: { 200: TripSchema },
        },
      },
      async ({ identity, params }) => {
        const trip = await run(work, { tripId: params.id, authorise: authoriseChange(identity) });
        return showTrip(identity, toTrip(trip));
      },
    );
  }

  app.put(
    '/v1/trips/:id/passengers',
    {
      config: { roles: whoChanges },
      schema: {
        tags,
        operationId: 'putPassengers',
        summary: 'Set who rides along',
        params: TripParamsSchema,
        body: PutPassengersBodySchema,
        response: { 200: TripSchema },
      },
    },
    async ({ identity, params, body }) => {
      const { passengerIds } = body;
      const authorise = authoriseChange(identity);
      const trip = await putPassengers(work, { tripId: params.id, passengerIds, authorise });
      return showTrip(identity, toTrip(trip));
    },
  );
}

/** Somebody else's trip does not exist for the caller. */
function authoriseChange(identity: Identity): (trip: TripDocument) => void {
  return (trip) => {
    if (!mayReadTrip(identity, toTripAccess(trip))) throw new AppError('not_found');
    if (!mayChangeTrip(identity, trip)) throw new AppError('forbidden');
  };
}
