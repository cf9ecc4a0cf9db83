import type { Position } from '@hushryd/contracts/fix';
import { type ConsoleClient, createConsoleClient } from '@hushryd/sdk/console-client';
import { createHttpClient, type HttpClient } from '@hushryd/sdk/http/http-client';
import type { MapHandlers } from '@hushryd/sdk/watching/watch-handlers';
import { createContext, useContext } from 'react';
import type { ConsoleConfig } from '../config.ts';
import { createMapScope, type MapScope } from '../live-map/filters/map-scope.ts';
import { type ClusterStore, createClusterStore } from '../live-map/vehicles/cluster-store.ts';
import { ageClassOf } from '../live-map/vehicles/fix-age.ts';
import { createVehicleStore, type VehicleStore } from '../live-map/vehicles/vehicle-store.ts';
import type { Session } from '../session/session.ts';
import type { SignedInUser } from '../session/token-endpoint.ts';
import { createSiren, type Siren } from '../sos-desk/alarm/siren.ts';
import { type AlertFeed, createAlertFeed } from '../sos-desk/alerts/alert-feed.ts';
import { createServerClock, type ServerClock } from '../time/server-clock.ts';
import { isSessionOver, type LinkStatus, linkStatusOf } from './link-status.ts';

/** Everything that the rooms need from the outside, for as long as somebody is signed in. */
export interface Backend {
  config: ConsoleConfig;
  /** Who is signed in. */
  user: SignedInUser;
  /** Of this session, for what is neither API nor socket. */
  getToken: Session['getToken'];
  http: HttpClient;
  realtime: ConsoleClient;
  vehicles: VehicleStore;
  /** In place of vehicles, where too many of them fit the scope. */
  clusters: ClusterStore;
  /** Which part of the fleet is asked for. */
  scope: MapScope;
  clock: ServerClock;
  /** Calls for help that are open. */
  alerts: AlertFeed;
  siren: Siren;
  /** The connection as it is at this moment. */
  linkStatus(): LinkStatus;
  /** Called when the connection changes by itself; lateness grows with time, so whoever shows it looks every second as well. */
  onLinkChange(listener: () => void): () => void;
  /** Try to connect at once: instead of waiting for the next try, or again after the server ended the connection. */
  reconnectNow(): void;
  close(): void;
}

const motionQuery = '(prefers-reduced-motion: reduce)';

export const isMotionReduced = (): boolean => window.matchMedia(motionQuery).matches;

/** Connects, and keeps the fleet's newest positions whichever room is open, so that the map is there at once when one comes back. */
export function createBackend(input: { config: ConsoleConfig; session: Session; user: SignedInUser }): Backend {
  const { config, session, user } = input;
  const access = { apiUrl: config.apiUrl, getToken: session.getToken };
  const http = createHttpClient(access);
  const realtime = createConsoleClient({ ...access, realtimeUrl: config.realtimeUrl });
  const clock = createServerClock();
  const vehicles = createVehicleStore({ intervalMs: config.reportingIntervalMs, isMotionReduced });
  const clusters = createClusterStore();
  const listeners = new Set<() => void>();
  let isServerLive = true;
  let isMoreExpected = false;

  const announce = () => {
    for (const listener of listeners) listener();
  };
  const expectMore = (changed: readonly Position[]) => {
    isMoreExpected = changed.some((position) => ageClassOf(clock.nowMs() - position.recordedAtMs) === 'fresh');
  };
  const reconnectNow = () => void realtime.connect().catch(announce);
  // Not a connection that was ended for good: coming back from that is for a person to decide.
  const onNetworkBack = () => {
    if (realtime.state.name === 'reconnecting') reconnectNow();
  };

  realtime.on('state', (state) => {
    if (state.name === 'live') isServerLive = true;
    if (state.name === 'closed' && isSessionOver(state)) session.end('session-ended');
    announce();
  });
  realtime.on('status', (isLive) => {
    isServerLive = isLive;
    announce();
  });
  const mapHandlers: MapHandlers = {
    onSubscribed() {
      vehicles.expectSnapshot();
      clusters.expectSnapshot();
    },
    onVehicles(changed, gone, { snapshot, complete, asOfMs }) {
      clock.observe(asOfMs);
      if (complete) clusters.clear();
      vehicles.apply({ changed, gone, isSnapshot: snapshot, isComplete: complete });
      if (changed.length > 0) expectMore(changed);
      if (complete || !snapshot) scope.told(vehicles.size);
    },
    onClusters(changed, gone, { snapshot, complete, asOfMs }) {
      clock.observe(asOfMs);
      clusters.apply({ changed, gone, isSnapshot: snapshot, isComplete: complete });
      if (complete) vehicles.apply({ changed: [], gone: [], isSnapshot: true, isComplete: true });
      isMoreExpected = true;
      if (complete || !snapshot) scope.told(clusters.vehicleCount);
    },
  };
  const mapWatch = realtime.watchMap(mapHandlers, { filter: {} });
  const scope = createMapScope(mapWatch.setFilter);
  const alerts = createAlertFeed({ watchAlerts: realtime.watchAlerts, listAlerts: http.listAlerts });
  const siren = createSiren();
  // A closed connection is a state of its own; whoever shows it asks `linkStatus`.
  void realtime.connect().catch(announce);
  window.addEventListener('online', onNetworkBack);
  window.addEventListener('offline', announce);

  return {
    config,
    user,
    getToken: session.getToken,
    http,
    realtime,
    vehicles,
    clusters,
    scope,
    clock,
    alerts,
    siren,
    reconnectNow,
    linkStatus() {
      const heardAtMs = clock.heardAtMs();
      return linkStatusOf({
        connection: realtime.state,
        isNetworkUp: navigator.onLine,
        isServerLive,
        lagMs: clock.lagMs(),
        intervalMs: config.reportingIntervalMs,
        quietMs: heardAtMs === undefined ? undefined : Date.now() - heardAtMs,
        isMoreExpected,
        nowMs: Date.now(),
      });
    },
    onLinkChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      window.removeEventListener('online', onNetworkBack);
      window.removeEventListener('offline', announce);
      alerts.close();
      siren.close();
      realtime.close();
    },
  };
}

export const BackendContext = createContext<Backend | undefined>(undefined);

export function useBackend(): Backend {
  const backend = useContext(BackendContext);
  if (backend === undefined) throw new Error('This part of the console is shown to signed-in operators only.');
  return backend;
}
