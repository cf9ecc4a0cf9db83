import { Siren } from 'lucide-react';
import type { ReactNode } from 'react';
import { useBackend } from '../../data/backend.ts';
import { EmptyState, SkeletonLines } from '../../feedback/empty-state.tsx';
import { ProblemNote } from '../../feedback/problem-note.tsx';
import { useTicking } from '../../time/use-ticking.ts';
import type { FeedState } from '../alerts/alert-feed.ts';
import { useStaffName } from '../alerts/use-names.ts';
import { AlertRow } from './alert-row.tsx';
import styles from './queue.module.css';

/** Everything that is open, most urgent first. */
export function AlertQueue({
  feed,
  selectedId,
  whenEmpty,
}: {
  feed: FeedState;
  selectedId: string | undefined;
  /** What would fill it. */
  whenEmpty: ReactNode;
}) {
  const { clock, alerts } = useBackend();
  const staffName = useStaffName();
  const nowMs = useTicking(clock.nowMs, 1_000);
  if (!feed.isLoaded && feed.alerts.length === 0) {
    return feed.error === undefined ? (
      <SkeletonLines count={8} label="Alerts are loading" />
    ) : (
      <div className={styles.problem}>
        <ProblemNote error={feed.error} what="The open alerts could not be read." onRetry={alerts.readNow} />
      </div>
    );
  }
  if (feed.alerts.length === 0) {
    return (
      <EmptyState title="No open alert" icon={<Siren size={20} aria-hidden />}>
        {whenEmpty}
      </EmptyState>
    );
  }
  return (
    <ul className={styles.list} aria-label="Open alerts">
      {feed.alerts.map((alert) => (
        <AlertRow
          key={alert.alertId}
          alert={alert}
          nowMs={nowMs}
          isSelected={alert.alertId === selectedId}
          staffName={staffName}
        />
      ))}
    </ul>
  );
}
