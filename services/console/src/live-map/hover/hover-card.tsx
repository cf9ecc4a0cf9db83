import { useCallback } from 'react';
import { useBackend } from '../../data/backend.ts';
import { formatAgo } from '../../time/format-time.ts';
import { useTicking } from '../../time/use-ticking.ts';
import type { Hover } from '../map/pointer.ts';
import { ageClassOf } from '../vehicles/fix-age.ts';
import { formatAccuracy, formatBattery, formatSpeed } from '../vehicles/format-motion.ts';
import { symbolOf, symbolWords } from '../vehicles/symbol.ts';
import { SymbolIcon } from '../vehicles/symbol-icon.tsx';
import { useFullPosition } from '../vehicles/use-full-position.ts';
import styles from './hover-card.module.css';

/** What is known of the vehicle under the pointer, at a glance. */
export function HoverCard({ hover }: { hover: Hover }) {
  const { vehicles, clock } = useBackend();
  const read = useCallback(() => vehicles.get(hover.driverId)?.position, [vehicles, hover.driverId]);
  const position = useFullPosition(useTicking(read, 250));
  if (position === undefined) return null;
  const ageMs = clock.nowMs() - position.recordedAtMs;
  const { kind } = symbolOf(position, clock.nowMs());
  const age = ageClassOf(ageMs);
  return (
    <div
      className={styles.card}
      role="tooltip"
      style={{ transform: `translate(${hover.x + 16}px, ${hover.y + 16}px)` }}
    >
      <header>
        <SymbolIcon kind={kind} headingDegrees={position.headingDegrees ?? 0} />
        <strong>{position.driverId}</strong>
        <span>{symbolWords[kind]}</span>
      </header>
      <dl>
        <div data-age={age}>
          <dt>{age === 'silent' ? 'Last seen' : 'Fix'}</dt>
          <dd>{formatAgo(ageMs)}</dd>
        </div>
        <div>
          <dt>Speed</dt>
          <dd>{formatSpeed(position.speedMps)}</dd>
        </div>
        <div>
          <dt>Accuracy</dt>
          <dd>{formatAccuracy(position.accuracyMeters)}</dd>
        </div>
        <div>
          <dt>Battery</dt>
          <dd>{formatBattery(position.batteryPercent)}</dd>
        </div>
      </dl>
    </div>
  );
}
