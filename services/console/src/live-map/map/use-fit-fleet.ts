import { useCallback, useEffect, useRef } from 'react';
import { useBackend } from '../../data/backend.ts';
import type { LiveMap } from './create-live-map.ts';
import { fleetPlaces } from './use-live-map.ts';

/** Show the whole fleet. Where only the window is watched, the server is asked where all of it is, and the map moves with the answer. */
export function useFitFleet(map: LiveMap | undefined): () => void {
  const backend = useBackend();
  const stopWaiting = useRef<() => void>(undefined);
  useEffect(() => () => stopWaiting.current?.(), []);
  return useCallback(() => {
    stopWaiting.current?.();
    if (backend.scope.isWhole) {
      map?.fitTo(fleetPlaces(backend));
      return;
    }
    backend.scope.widen();
    const stop = backend.vehicles.onSnapshot(() => {
      stop();
      map?.fitTo(fleetPlaces(backend));
    });
    stopWaiting.current = stop;
  }, [map, backend]);
}
