import { type DriverState, driverStates } from '@hushryd/contracts/fix';
import type { AlertState } from '@hushryd/contracts/http/sos';
import { type TripState, tripStates } from '@hushryd/contracts/trip';

/** What is selected on the map: one vehicle, or one trip. */
export type Selection = { kind: 'driver'; id: string } | { kind: 'trip'; id: string };

export interface Camera {
  lat: number;
  lng: number;
  zoom: number;
}

/** Whom the vehicle list shows: everybody, those in one state, or those whose fix is older than a minute. */
export type ListFilter = 'all' | DriverState | 'silent';
export const listFilters: readonly ListFilter[] = ['all', ...driverStates, 'silent'];

export interface MapView {
  room: 'map';
  selection?: Selection;
  camera?: Camera;
  /** The selected vehicle stays in the middle. */
  isFollowing?: boolean;
  /** Replay is open, standing at this moment. */
  replayAtMs?: number;
  /** Only vehicles in one of these states are on the map; not empty. */
  states?: DriverState[];
  /** Only vehicles with this in their driver or trip are on the map. */
  text?: string;
  /** The vehicle list is open. */
  list?: ListFilter;
  /** The track is drawn in one colour instead of by speed. */
  isTrackPlain?: boolean;
}

export interface TripsView {
  room: 'trips';
  query?: string;
  state?: TripState;
}

export interface SystemView {
  room: 'system';
  /** Whose connections are shown. */
  userId?: string;
}

/** How an alert can have ended. */
export const endedStates = ['resolved', 'false_alarm', 'cancelled'] as const satisfies readonly AlertState[];
export type EndedState = (typeof endedStates)[number];

export interface SosView {
  room: 'sos';
  alertId?: string;
  /** Ended alerts are listed instead of the open ones. */
  ended?: EndedState;
}

/** Everything that a shared link restores. It lives in the fragment: any static server can serve the console at any path. */
export type View = MapView | SosView | TripsView | SystemView;

const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

/** What the API takes for an id of a person, driver or trip (`IdSchema`). */
export const isId = (text: string): boolean => idPattern.test(text);

/** Read a fragment such as `#/map?driver=d1&follow=1`. What is malformed is ignored: an old link still opens the room. */
export function parseView(fragment: string): View {
  const [path = '', search = ''] = fragment.replace(/^#/, '').split('?', 2);
  const parameters = new URLSearchParams(search);
  if (path === '/sos') return parseSosView(parameters);
  if (path === '/trips') return parseTripsView(parameters);
  return path === '/system' ? parseSystemView(parameters) : parseMapView(parameters);
}

export function formatView(view: View): string {
  const parameters = new URLSearchParams();
  if (view.room === 'map') writeMapView(view, parameters);
  if (view.room === 'sos' && view.alertId) parameters.set('alert', view.alertId);
  if (view.room === 'sos' && view.ended) parameters.set('ended', view.ended);
  if (view.room === 'trips' && view.query) parameters.set('q', view.query);
  if (view.room === 'trips' && view.state) parameters.set('state', view.state);
  if (view.room === 'system' && view.userId) parameters.set('user', view.userId);
  const search = parameters.toString().replaceAll('%2C', ',');
  return `#/${view.room}${search === '' ? '' : `?${search}`}`;
}

function writeMapView(view: MapView, parameters: URLSearchParams): void {
  if (view.selection) parameters.set(view.selection.kind, view.selection.id);
  if (view.isFollowing) parameters.set('follow', '1');
  if (view.replayAtMs !== undefined) parameters.set('replay', String(Math.round(view.replayAtMs)));
  if (view.states) parameters.set('state', view.states.join(','));
  if (view.text) parameters.set('q', view.text);
  if (view.list) parameters.set('list', view.list);
  if (view.isTrackPlain) parameters.set('track', 'plain');
  if (view.camera) parameters.set('at', formatCamera(view.camera));
}

function parseSosView(parameters: URLSearchParams): SosView {
  const view: SosView = { room: 'sos' };
  const alertId = parameters.get('alert');
  if (alertId !== null && isId(alertId)) view.alertId = alertId;
  const ended = endedStates.find((known) => known === parameters.get('ended'));
  if (ended) view.ended = ended;
  return view;
}

function parseTripsView(parameters: URLSearchParams): TripsView {
  const view: TripsView = { room: 'trips' };
  const query = parameters.get('q')?.slice(0, 64);
  if (query) view.query = query;
  const state = tripStates.find((known) => known === parameters.get('state'));
  if (state) view.state = state;
  return view;
}

function parseSystemView(parameters: URLSearchParams): SystemView {
  const userId = parameters.get('user');
  return { room: 'system', ...(userId !== null && isId(userId) && { userId }) };
}

function parseMapView(parameters: URLSearchParams): MapView {
  const view: MapView = { room: 'map' };
  const selection = parseSelection(parameters);
  if (selection) view.selection = selection;
  const camera = parseCamera(parameters.get('at'));
  if (camera) view.camera = camera;
  if (selection && parameters.get('follow') === '1') view.isFollowing = true;
  const replayAtMs = Number(parameters.get('replay') ?? Number.NaN);
  if (selection && Number.isSafeInteger(replayAtMs) && replayAtMs > 0) view.replayAtMs = replayAtMs;
  const asked = parameters.get('state')?.split(',') ?? [];
  const states = driverStates.filter((known) => asked.includes(known));
  if (states.length > 0) view.states = states;
  const text = parameters.get('q')?.trim().slice(0, 64);
  if (text) view.text = text;
  const list = listFilters.find((known) => known === parameters.get('list'));
  if (list) view.list = list;
  if (parameters.get('track') === 'plain') view.isTrackPlain = true;
  return view;
}

function parseSelection(parameters: URLSearchParams): Selection | undefined {
  for (const kind of ['trip', 'driver'] as const) {
    const id = parameters.get(kind);
    if (id !== null && isId(id)) return { kind, id };
  }
  return undefined;
}

function parseCamera(text: string | null): Camera | undefined {
  const [lat, lng, zoom] = (text ?? '').split(',').map(Number);
  if (lat === undefined || lng === undefined || zoom === undefined) return undefined;
  const isInRange = Math.abs(lat) <= 90 && Math.abs(lng) <= 180 && zoom >= 0 && zoom <= 22;
  return isInRange ? { lat, lng, zoom } : undefined;
}

const formatCamera = (camera: Camera): string =>
  `${camera.lat.toFixed(5)},${camera.lng.toFixed(5)},${camera.zoom.toFixed(2)}`;
