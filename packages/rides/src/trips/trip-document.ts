import type { TripEvent, TripEventName } from '@hushryd/contracts/events/topic-event';
import type { Place } from '@hushryd/contracts/geo';
import type { Trip, TripState } from '@hushryd/contracts/trip';

/** A trip as the collection `trips` holds it. */
export interface TripDocument {
  _id: string;
  /** Where the company runs it; with `createdAt` the shard key. */
  region: string;
  state: TripState;
  driverId: string;
  passengerIds: string[];
  reference?: string;
  origin: Place;
  destination: Place;
  plannedRoute?: { lat: number; lng: number }[];
  createdAt: Date;
  startedAt?: Date;
  endedAt?: Date;
  /** Rises by one with every change. */
  version: number;
  /** When and by what `version` came about. */
  changedAt: Date;
  changedBy: TripEventName;
  /** What makes a retried creation safe: it stands in the trip itself, so that one write stores both. */
  creation: {
    userId: string;
    /** The caller's Idempotency-Key. */
    key?: string;
    /** Hash of the request; the same key or id with another one is a different request. */
    fingerprint: string;
  };
}

/** The trip as people of the trip and staff see it. */
export function toTrip(document: TripDocument): Trip {
  return {
    tripId: document._id,
    ...(document.reference !== undefined && { reference: document.reference }),
    state: document.state,
    driverId: document.driverId,
    passengerIds: document.passengerIds,
    origin: document.origin,
    destination: document.destination,
    ...(document.plannedRoute !== undefined && { plannedRoute: document.plannedRoute }),
    createdAt: document.createdAt.toISOString(),
    ...(document.startedAt !== undefined && { startedAt: document.startedAt.toISOString() }),
    ...(document.endedAt !== undefined && { endedAt: document.endedAt.toISOString() }),
    version: document.version,
  };
}

/** The event that led to the document's version. */
export function toTripEvent(document: TripEventFields): TripEvent {
  return {
    name: document.changedBy,
    tripId: document._id,
    at: document.changedAt.toISOString(),
    version: document.version,
  };
}

export type TripEventFields = Pick<TripDocument, '_id' | 'version' | 'changedBy' | 'changedAt'>;

/** What to read of a document to make its event. */
export const tripEventProjection = { version: 1, changedBy: 1, changedAt: 1 } as const;
