import type { NearbyDriversReply } from '@hushryd/contracts/http/drivers';
import type { RoadsReply } from '@hushryd/contracts/http/map';
import type {
  ConnectionsReply,
  NoticeReply,
  PostNoticeBody,
  RealtimeStatsReply,
  TicketReply,
} from '@hushryd/contracts/http/realtime';
import type { RevocationReason } from '@hushryd/contracts/http/sessions';
import type {
  CreateTripBody,
  ListTripsReply,
  LocationReply,
  NearbyTripsReply,
  TrackReply,
} from '@hushryd/contracts/http/trips';
import type { Trip, TripState } from '@hushryd/contracts/trip';
import { createAsk, parseJson } from './ask.ts';
import { createDriverRequests, type DriverRequests } from './driver-requests.ts';
import type { AbortSignalLike } from './fetch.ts';
import { createNotificationRequests, type NotificationRequests } from './notification-requests.ts';
import { createPeopleRequests, type PeopleRequests } from './people-requests.ts';
import { createSendRequest, type RequestSettings } from './request.ts';
import { createSosRequests, type SosRequests } from './sos-requests.ts';

export type HttpClientOptions = RequestSettings;
export type TrackFormat = 'geojson' | 'gpx' | 'csv';

/** WGS 84 degrees. */
export interface BoundingBox {
  west: number;
  south: number;
  east: number;
  north: number;
}

export interface NearbyQuery {
  lat: number;
  lng: number;
  radiusMeters?: number;
  limit?: number;
}

/** `isModified: false` answers an `etag` that still holds: nothing moved since. */
export type LocationAnswer =
  | ({ isModified: true; etag: string | undefined } & LocationReply)
  | { isModified: false; etag: string | undefined };

export interface HttpClient extends SosRequests, PeopleRequests, NotificationRequests, DriverRequests {
  /** Send `tripId` in the body or an `idempotencyKey`: then a retry makes no second trip. */
  createTrip(body: CreateTripBody, options?: { idempotencyKey?: string }): Promise<Trip>;
  startTrip(tripId: string): Promise<Trip>;
  endTrip(tripId: string): Promise<Trip>;
  /** Replaces the whole list. */
  putPassengers(tripId: string, passengerIds: string[]): Promise<Trip>;
  getTrip(tripId: string): Promise<Trip>;
  /** Staff: newest first; follow `nextCursor` until it is null. */
  listTrips(query?: { q?: string; state?: TripState; limit?: number; cursor?: string }): Promise<ListTripsReply>;
  /** With `etag` and `waitSeconds` (≤ 30) the answer comes when the position changes, or unmodified at the end. */
  getTripLocation(
    tripId: string,
    options?: { etag?: string; waitSeconds?: number; signal?: AbortSignalLike },
  ): Promise<LocationAnswer>;
  getTrack(tripId: string, page?: { cursor?: string; limit?: number }): Promise<TrackReply>;
  /** Where the export stands; it needs the bearer token, so a plain link cannot fetch it: use `exportTrack`. */
  trackExportUrl(tripId: string, format: TrackFormat): string;
  exportTrack(tripId: string, format: TrackFormat): Promise<string>;
  nearbyDrivers(query: NearbyQuery): Promise<NearbyDriversReply>;
  /** Staff. */
  nearbyTrips(query: NearbyQuery): Promise<NearbyTripsReply>;
  /** That driver and staff. */
  getDriverLocation(driverId: string): Promise<LocationReply>;
  /** Staff: travelled roads as GeoJSON, busiest first up to `limit`. */
  getRoads(box: BoundingBox, options?: { limit?: number; signal?: AbortSignalLike }): Promise<RoadsReply>;
  /** End this session: its tokens are refused from now on and its sockets end within seconds. The app forgets what it keeps of them. */
  signOut(): Promise<void>;
  /** Single use, short-lived; the connection asks for its own. */
  createTicket(): Promise<TicketReply>;
  /** Staff: the realtime nodes that are up, each as of its last word, and their sum. */
  getRealtimeStats(): Promise<RealtimeStatsReply>;
  /** Staff: the user's open sockets on all nodes. */
  listConnections(userId: string): Promise<ConnectionsReply>;
  /**
   * Staff: close one socket with 4502, on whichever node. `ended`: it is gone. `ordered`: its node was told, but nobody knows of such a
   * socket; most likely it had ended. `not_found` where its node is gone, and the socket with it.
   */
  endConnection(userId: string, connectionId: string): Promise<'ended' | 'ordered'>;
  /** Staff: refuse every token the user has. After `role_changed` the apps come back by themselves; `signed_out` is the default. */
  signOutUser(userId: string, body?: { reason?: RevocationReason }): Promise<void>;
  /** Staff: to all of the user's devices. Send a `noticeId`: then the app can tell a retry from a second notice. */
  postNotice(userId: string, body: PostNoticeBody): Promise<NoticeReply>;
}

/** One call per route of the API. Every call may throw `HttpProblem`; none is retried here. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const send = createSendRequest(options);
  const ask = createAsk(send);
  const { json, get, post, put, done, file } = ask;

  return {
    ...createSosRequests(ask),
    ...createPeopleRequests(ask),
    ...createNotificationRequests(ask),
    ...createDriverRequests(ask),
    createTrip: (body, { idempotencyKey } = {}) =>
      post('/v1/trips', body, idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    startTrip: (tripId) => post(`${tripPath(tripId)}/start`, {}),
    endTrip: (tripId) => post(`${tripPath(tripId)}/end`, {}),
    putPassengers: (tripId, passengerIds) => put(`${tripPath(tripId)}/passengers`, { passengerIds }),
    getTrip: (tripId) => get(tripPath(tripId)),
    listTrips: (query) => get('/v1/trips', query),

    async getTripLocation(tripId, { etag, waitSeconds, signal } = {}) {
      const response = await send({
        method: 'GET',
        path: `${tripPath(tripId)}/location`,
        query: { waitSeconds },
        headers: etag === undefined ? {} : { 'if-none-match': etag },
        waitMs: (waitSeconds ?? 0) * 1000,
        ...(signal && { signal }),
      });
      const newEtag = response.headers.get('etag') ?? etag;
      if (response.status === 304) return { isModified: false, etag: newEtag };
      return { isModified: true, etag: newEtag, ...(await parseJson<LocationReply>(response)) };
    },

    getTrack: (tripId, page) => get(`${tripPath(tripId)}/track`, { ...page }),
    trackExportUrl: (tripId, format) =>
      `${options.apiUrl.replace(/\/+$/, '')}${tripPath(tripId)}/track?format=${format}`,
    exportTrack: (tripId, format) => file(`${tripPath(tripId)}/track`, { format }),

    nearbyDrivers: (query) => get('/v1/drivers/nearby', { ...query }),
    nearbyTrips: (query) => get('/v1/trips/nearby', { ...query }),
    getDriverLocation: (driverId) => get(`/v1/drivers/${encodeURIComponent(driverId)}/location`),
    getRoads: ({ west, south, east, north }, { limit, signal } = {}) =>
      json({
        method: 'GET',
        path: '/v1/map/roads',
        query: { bbox: `${west},${south},${east},${north}`, limit },
        ...(signal && { signal }),
      }),
    signOut: () => done({ method: 'POST', path: '/v1/session/sign-out', body: {} }),
    createTicket: () => post('/v1/realtime/tickets', {}),

    getRealtimeStats: () => get('/v1/realtime/stats'),
    listConnections: (userId) => get(`${userPath(userId)}/connections`),
    async endConnection(userId, connectionId) {
      const path = `${userPath(userId)}/connections/${encodeURIComponent(connectionId)}`;
      const { status } = await send({ method: 'DELETE', path });
      return status === 202 ? 'ordered' : 'ended';
    },
    signOutUser: (userId, body = {}) => done({ method: 'POST', path: `${userPath(userId)}/sign-out`, body }),
    postNotice: (userId, body) => post(`${userPath(userId)}/notices`, body),
  };
}

const tripPath = (tripId: string): string => `/v1/trips/${encodeURIComponent(tripId)}`;
const userPath = (userId: string): string => `/v1/users/${encodeURIComponent(userId)}`;
