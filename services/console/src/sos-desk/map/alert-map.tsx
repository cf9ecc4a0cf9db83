import type { SosLocation } from '@hushryd/contracts/http/sos';
import { Minus, Plus, Scan } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { isMotionReduced, useBackend } from '../../data/backend.ts';
import { IconButton } from '../../feedback/icon-button.tsx';
import { ProblemNote } from '../../feedback/problem-note.tsx';
import { useKey } from '../../feedback/use-key.ts';
import { useTheme } from '../../theme/theme-store.ts';
import { type AlertMap, createAlertMap } from './create-alert-map.ts';
import styles from './map.module.css';
import { TrailLegend } from './trail-legend.tsx';
import type { Trail } from './use-trail.ts';

/** Where it happened and where everybody went since. It keeps all of it in view until somebody moves the map; 0 shows all again. */
export function AlertMapView({
  alertId,
  location,
  trail: { points: trail, error },
}: {
  alertId: string | undefined;
  location: SosLocation | undefined;
  trail: Trail;
}) {
  const container = useRef<HTMLDivElement>(null);
  const { map, problem, isHeld, letGo } = useAlertMap(container);
  const theme = useTheme();
  const places = location === undefined ? trail : [location, ...trail];
  const newest = useRef(places);
  newest.current = places;
  const shownId = useRef<string>(undefined);

  const { lat, lng, accuracyMeters } = location ?? {};
  useEffect(() => map?.setTheme(theme), [map, theme]);
  useEffect(
    () => map?.setPress(lat === undefined || lng === undefined ? undefined : { lat, lng, accuracyMeters }),
    [map, lat, lng, accuracyMeters],
  );
  useEffect(() => map?.setTrail(trail), [map, trail]);
  // The map looks again whenever there is something new to see.
  useEffect(() => {
    const isAnother = shownId.current !== alertId;
    if (isAnother) letGo();
    if (map === undefined || newest.current.length === 0 || (isHeld() && !isAnother)) return;
    map.fitTo(newest.current, { isInstant: isAnother });
    shownId.current = alertId;
  }, [map, alertId, lat, lng, trail]);

  const fitAll = () => {
    letGo();
    map?.fitTo(newest.current);
  };
  useKey('0', fitAll);
  return (
    <section className={styles.room} aria-label="Map of the alert">
      <div ref={container} className={styles.canvas} />
      {problem !== undefined && (
        <div className={styles.problem}>
          <ProblemNote
            error={problem}
            what="The map could not be drawn."
            stillWorks="The coordinates stand in the details."
          />
        </div>
      )}
      {problem === undefined && error !== undefined && (
        <div className={styles.problem}>
          <ProblemNote
            error={error}
            what="The trail so far could not be read."
            stillWorks="Where the phones go now is still shown."
          />
        </div>
      )}
      {alertId !== undefined && <TrailLegend location={location} trail={trail} />}
      <div className={styles.controls} role="toolbar" aria-label="Map" aria-orientation="vertical">
        <IconButton label="Zoom in" disabled={map === undefined} onClick={() => map?.zoomBy(1)}>
          <Plus size={16} aria-hidden />
        </IconButton>
        <IconButton label="Zoom out" disabled={map === undefined} onClick={() => map?.zoomBy(-1)}>
          <Minus size={16} aria-hidden />
        </IconButton>
        <IconButton label="Show all of it" keyName="0" disabled={map === undefined} onClick={fitAll}>
          <Scan size={16} aria-hidden />
        </IconButton>
      </div>
    </section>
  );
}

/** Makes the map once. It is held from when somebody drags it until it is let go. */
function useAlertMap(container: React.RefObject<HTMLDivElement | null>) {
  const { config } = useBackend();
  const theme = useTheme();
  const firstTheme = useRef(theme);
  const held = useRef(false);
  const [map, setMap] = useState<AlertMap>();
  const [problem, setProblem] = useState<unknown>();
  useEffect(() => {
    if (container.current === null) return undefined;
    let created: AlertMap | undefined;
    try {
      created = createAlertMap({
        container: container.current,
        theme: firstTheme.current,
        streetsUrl: config.streetsUrl,
        mapStyleUrl: config.mapStyleUrl,
        isMotionReduced,
        onDrag() {
          held.current = true;
        },
      });
      setMap(created);
    } catch (error) {
      // Without WebGL there is no map; everything else works.
      setProblem(error);
    }
    return () => {
      setMap(undefined);
      created?.close();
    };
  }, [container, config]);
  const isHeld = useCallback(() => held.current, []);
  const letGo = useCallback(() => {
    held.current = false;
  }, []);
  return { map, problem, isHeld, letGo };
}
