import type { Position } from '@hushryd/contracts/fix';
import { useCallback } from 'react';
import { useBackend } from '../../data/backend.ts';
import { CopyButton } from '../../feedback/copy-button.tsx';
import { formatAbsolute, formatAge, formatAgo } from '../../time/format-time.ts';
import { useTicking } from '../../time/use-ticking.ts';
import { ageClassOf } from '../vehicles/fix-age.ts';
import { formatAccuracy, formatBattery, formatCoordinates, formatHeading } from '../vehicles/format-motion.ts';
import { symbolOf, symbolWords } from '../vehicles/symbol.ts';
import { SymbolIcon } from '../vehicles/symbol-icon.tsx';
import { useFullPosition } from '../vehicles/use-full-position.ts';
import styles from './panel.module.css';

/** The newest fix of the vehicle, and how old it is. */
export function VehicleSection({
  driverId,
  position: known,
  isReplaying,
}: {
  driverId: string | undefined;
  position: Position | undefined;
  isReplaying: boolean;
}) {
  const { clock } = useBackend();
  const position = useFullPosition(known);
  const read = useCallback(() => clock.nowMs(), [clock]);
  const serverNowMs = useTicking(read, 250);
  if (position === undefined) {
    return (
      <section className={styles.section} aria-label="Vehicle">
        <h3>Vehicle</h3>
        {driverId !== undefined && <p className={styles.driver}>{driverId}</p>}
        <p className={styles.note}>
          Not on the map: no fix in the last five minutes. It appears as soon as the driver’s phone reports.
        </p>
      </section>
    );
  }
  const ageMs = Math.max(0, serverNowMs - position.recordedAtMs);
  const { kind } = symbolOf(position, serverNowMs);
  const age = ageClassOf(ageMs);
  return (
    <section className={styles.section} aria-label="Vehicle">
      <div className={styles.vehicle}>
        <SymbolIcon kind={kind} headingDegrees={position.headingDegrees ?? 0} size={18} />
        <span className={styles.driver}>{position.driverId}</span>
        <span className={styles.state}>{symbolWords[kind]}</span>
      </div>
      {isReplaying && <p className={styles.note}>As it is now, not at the moment replayed.</p>}
      {kind === 'silent' && (
        <p className={styles.stale}>Last seen {formatAgo(ageMs)}. What is shown is where it was then.</p>
      )}
      <dl className={styles.figures}>
        <div>
          <dt>Speed</dt>
          <dd>
            {position.speedMps === undefined ? '–' : Math.round(position.speedMps * 3.6)} <small>km/h</small>
          </dd>
        </div>
        <div data-age={age} title={formatAbsolute(position.recordedAtMs)}>
          <dt>Fix age</dt>
          <dd>{formatAge(ageMs)}</dd>
        </div>
      </dl>
      <dl className={styles.facts}>
        <div>
          <dt>Heading</dt>
          <dd>{formatHeading(position.headingDegrees)}</dd>
        </div>
        <div>
          <dt>Accuracy</dt>
          <dd>{formatAccuracy(position.accuracyMeters)}</dd>
        </div>
        <div>
          <dt>Battery</dt>
          <dd>{formatBattery(position.batteryPercent)}</dd>
        </div>
        <div>
          <dt>Position</dt>
          <dd>
            <span data-testid="coordinates">{formatCoordinates(position.lat, position.lng)}</span>
            <CopyButton text={`${position.lat}, ${position.lng}`} label="Copy the coordinates" />
          </dd>
        </div>
      </dl>
    </section>
  );
}
