import type { Place } from '@hushryd/contracts/geo';
import { CopyButton } from '../../feedback/copy-button.tsx';
import { SkeletonLines } from '../../feedback/empty-state.tsx';
import { ProblemNote } from '../../feedback/problem-note.tsx';
import { formatAbsolute, formatAge, formatMoment } from '../../time/format-time.ts';
import { TripStateMark } from '../../trip-state/trip-state-mark.tsx';
import type { Selected } from '../selection/use-selected.ts';
import { formatCoordinates } from '../vehicles/format-motion.ts';
import styles from './panel.module.css';

/** Where the trip goes, since when, and with how many. */
export function TripSection({ selected }: { selected: Selected }) {
  const { trip, tripId = '' } = selected;
  if (selected.tripError && trip === undefined) {
    return (
      <section className={styles.section} aria-label="Trip">
        <ProblemNote
          error={selected.tripError}
          what="The trip could not be read."
          stillWorks="The vehicle is still shown live."
          onRetry={selected.retryTrip}
        />
      </section>
    );
  }
  if (trip === undefined) return <SkeletonLines count={4} label="The trip is loading" />;
  const startedMs = trip.startedAt === undefined ? undefined : Date.parse(trip.startedAt);
  const endedMs = trip.endedAt === undefined ? undefined : Date.parse(trip.endedAt);
  return (
    <section className={styles.section} aria-label="Trip">
      <div className={styles.sectionHead}>
        <h3>Trip</h3>
        <TripStateMark state={trip.state} />
      </div>
      <ol className={styles.route}>
        <li>
          <span className="spoken-only">From </span>
          {placeName(trip.origin)}
        </li>
        <li>
          <span className="spoken-only">To </span>
          {placeName(trip.destination)}
        </li>
      </ol>
      <dl className={styles.facts}>
        {startedMs !== undefined && (
          <div title={formatAbsolute(startedMs)}>
            <dt>Started</dt>
            <dd>{formatMoment(startedMs, Date.now())}</dd>
          </div>
        )}
        {startedMs !== undefined && (
          <div>
            <dt>{endedMs === undefined ? 'On the way' : 'Took'}</dt>
            <dd>{formatAge((endedMs ?? Date.now()) - startedMs)}</dd>
          </div>
        )}
        <div>
          <dt>Passengers</dt>
          <dd>{trip.passengerIds.length}</dd>
        </div>
        <div>
          <dt>Trip id</dt>
          <dd>
            <span className={styles.id}>{tripId}</span>
            <CopyButton text={tripId} label="Copy the trip id" />
          </dd>
        </div>
      </dl>
    </section>
  );
}

const placeName = ({ label, lat, lng }: Place): string => label ?? formatCoordinates(lat, lng);
