import { CarFront, LoaderCircle } from 'lucide-react';
import { useCallback } from 'react';
import { type Backend, useBackend } from '../../data/backend.ts';
import { EmptyState } from '../../feedback/empty-state.tsx';
import { useTicking } from '../../time/use-ticking.ts';
import styles from './legend.module.css';

/** Why the map is empty, if it is. */
export function FleetNotice() {
  const backend = useBackend();
  const read = useCallback(() => noticeOf(backend), [backend]);
  const notice = useTicking(read, 500);
  if (notice === undefined) return null;
  return (
    <div className={styles.notice}>
      {notice === 'waiting' && (
        <EmptyState title="Waiting for the fleet" icon={<LoaderCircle size={20} aria-hidden />}>
          Vehicles appear with the first answer of the live feed. The connection is shown at the top right.
        </EmptyState>
      )}
      {notice === 'narrowed' && (
        <EmptyState title="No vehicle fits the filter" icon={<CarFront size={20} aria-hidden />}>
          Nobody who reported in the last five minutes is in this state with this text. Take something away at the top
          left.
        </EmptyState>
      )}
      {notice === 'empty' && (
        <EmptyState title="No vehicle has reported in the last five minutes" icon={<CarFront size={20} aria-hidden />}>
          Vehicles appear here as soon as a driver’s phone sends a fix. <code>npm start</code> without{' '}
          <code>--no-fleet</code> brings a fleet of its own.
        </EmptyState>
      )}
    </div>
  );
}

function noticeOf({ vehicles, clusters, scope }: Backend): 'waiting' | 'empty' | 'narrowed' | undefined {
  if (vehicles.size > 0 || clusters.size > 0) return undefined;
  if (!vehicles.isLoaded) return 'waiting';
  // A quiet part of the world needs no explanation.
  if (!scope.isWhole) return undefined;
  return scope.isNarrowed ? 'narrowed' : 'empty';
}
