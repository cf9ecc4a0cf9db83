import { palettes } from '../../base-map/palette.ts';
import { SkeletonLines } from '../../feedback/empty-state.tsx';
import { ProblemNote } from '../../feedback/problem-note.tsx';
import { changeMapView } from '../../routing/view-store.ts';
import { useTheme } from '../../theme/theme-store.ts';
import { formatDuration } from '../../time/format-time.ts';
import { speedClassesKmh, type TrackShape } from '../track/track-shape.ts';
import type { Track } from '../track/use-track.ts';
import { formatDistance } from '../vehicles/format-motion.ts';
import { ExportButtons } from './export-buttons.tsx';
import styles from './panel.module.css';

/** The way driven so far: how long, how complete, in which colours, and as a file. */
export function TrackSection({ tripId, track, isPlain }: { tripId: string; track: Track; isPlain: boolean }) {
  const problem = track.error !== null && track.stored === undefined && (
    <ProblemNote
      error={track.error}
      what="The stored track could not be read."
      stillWorks="What arrives from now on is drawn."
      onRetry={track.retry}
    />
  );
  if (problem && track.shape === undefined) {
    return (
      <section className={styles.section} aria-label="Track">
        {problem}
      </section>
    );
  }
  if (track.shape === undefined) return <SkeletonLines count={3} label="The track is loading" />;
  const { shape } = track;
  return (
    <section className={styles.section} aria-label="Track">
      <div className={styles.sectionHead}>
        <h3>Track</h3>
        <label className={styles.switch}>
          <input
            type="checkbox"
            role="switch"
            aria-checked={!isPlain}
            checked={!isPlain}
            onChange={(event) =>
              changeMapView({ isTrackPlain: event.target.checked ? undefined : true }, { replace: true })
            }
          />
          Colour by speed
        </label>
      </div>
      {problem}
      {shape.points.length === 0 ? (
        <p className={styles.note}>No fix of this trip is stored yet. Its track grows from the first one on.</p>
      ) : (
        <>
          <TrackFacts shape={shape} />
          {!isPlain && <SpeedLegend />}
        </>
      )}
      {(track.stored?.isEndCut || track.stored?.isTailCut) && (
        <p className={styles.stale}>
          {track.stored.isEndCut
            ? 'Only the first 100,000 fixes are shown.'
            : 'The newest fixes are still on their way into history.'}
        </p>
      )}
      <ExportButtons tripId={tripId} />
    </section>
  );
}

function TrackFacts({ shape }: { shape: TrackShape }) {
  const unknownMs = shape.gaps.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return (
    <dl className={styles.facts}>
      <div>
        <dt>Distance</dt>
        <dd>{formatDistance(shape.distanceMeters)}</dd>
      </div>
      <div>
        <dt>Duration</dt>
        <dd>{formatDuration(shape.durationMs)}</dd>
      </div>
      <div>
        <dt>Fixes</dt>
        <dd data-testid="fix-count">{shape.points.length.toLocaleString()}</dd>
      </div>
      <div>
        <dt>Gaps</dt>
        <dd>{shape.gaps.length === 0 ? 'none' : `${shape.gaps.length}, ${formatDuration(unknownMs)} in all`}</dd>
      </div>
    </dl>
  );
}

function SpeedLegend() {
  const { speeds } = palettes[useTheme()];
  return (
    <div
      className={styles.speeds}
      role="img"
      aria-label={`Colours from slow to fast: ${speedClassesKmh.join(', ')} km/h and more`}
    >
      {speedClassesKmh.map((fromKmh, index) => (
        <span key={fromKmh}>
          <i style={{ background: speeds[index] }} />
          {fromKmh}
        </span>
      ))}
      <small>km/h</small>
    </div>
  );
}
