import type { SosLocation } from '@hushryd/contracts/http/sos';
import type { TrailSource } from '@hushryd/contracts/http/sos-trail';
import { useBackend } from '../../data/backend.ts';
import { formatAgo } from '../../time/format-time.ts';
import { useTicking } from '../../time/use-ticking.ts';
import styles from './map.module.css';
import type { TrailPoint } from './trail-point.ts';

const names: Record<TrailSource, string> = { driver: 'Driver’s phone', person: 'Person’s phone' };

/** What the shapes mean, and how old the newest of each is. */
export function TrailLegend({ location, trail }: { location: SosLocation | undefined; trail: readonly TrailPoint[] }) {
  const { clock } = useBackend();
  const nowMs = useTicking(clock.nowMs, 1_000);
  return (
    <ul className={styles.legend} aria-label="On the map">
      <li data-source="press">
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path d="M3 3l10 10M13 3 3 13" stroke="currentColor" strokeWidth="3" />
        </svg>
        {location === undefined ? 'No place was sent' : 'Pressed here'}
      </li>
      {(['driver', 'person'] as const).map((source) => {
        const points = trail.filter((point) => point.source === source);
        const newest = points.at(-1);
        return (
          <li key={source} data-source={source}>
            <SourceShape source={source} />
            {names[source]}
            <small>
              {newest === undefined
                ? 'no fix'
                : `${countWords(points.length)}, last ${formatAgo(nowMs - newest.recordedAtMs)}`}
            </small>
          </li>
        );
      })}
    </ul>
  );
}

const countWords = (count: number): string => (count === 1 ? '1 fix' : `${count} fixes`);

function SourceShape({ source }: { source: TrailSource }) {
  return (
    <svg viewBox="0 0 28 16" width="28" height="16" aria-hidden="true">
      <path
        d="M0 8h28"
        stroke="currentColor"
        strokeWidth="2.5"
        {...(source === 'person' ? { strokeDasharray: '5 3' } : {})}
      />
      {source === 'driver' ? (
        <circle cx="14" cy="8" r="5" fill="currentColor" />
      ) : (
        <path d="M14 2l6 6-6 6-6-6Z" fill="currentColor" />
      )}
    </svg>
  );
}
