import { useInfiniteQuery } from '@tanstack/react-query';
import { Archive } from 'lucide-react';
import { useBackend } from '../../data/backend.ts';
import { EmptyState, SkeletonLines } from '../../feedback/empty-state.tsx';
import { ProblemNote } from '../../feedback/problem-note.tsx';
import { TextButton } from '../../feedback/text-button.tsx';
import type { EndedState } from '../../routing/view.ts';
import { useTicking } from '../../time/use-ticking.ts';
import { useStaffName } from '../alerts/use-names.ts';
import { AlertRow } from './alert-row.tsx';
import styles from './queue.module.css';

const pageSize = 50;
/** 1,000 alerts of one kind: who looks for older ones has their link or their id. */
const maxPages = 20;
const renewMs = 10_000;

/** What has ended, newest first. */
export function EndedList({ state, selectedId }: { state: EndedState; selectedId: string | undefined }) {
  const { http, clock } = useBackend();
  const staffName = useStaffName();
  const nowMs = useTicking(clock.nowMs, 5_000);
  const found = useInfiniteQuery({
    queryKey: ['ended-alerts', state],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      http.listAlerts({ state, limit: pageSize, ...(pageParam !== undefined && { cursor: pageParam }) }),
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    refetchInterval: ({ state: current }) => ((current.data?.pages.length ?? 0) <= 1 ? renewMs : false),
  });
  const pages = found.data?.pages ?? [];
  const alerts = pages.flatMap((page) => page.alerts);

  if (found.error !== null) {
    return (
      <div className={styles.problem}>
        <ProblemNote
          error={found.error}
          what="The ended alerts could not be read."
          stillWorks="Open ones still arrive."
          onRetry={() => void found.refetch()}
        />
      </div>
    );
  }
  if (found.isLoading) return <SkeletonLines count={8} label="Alerts are loading" />;
  if (alerts.length === 0) {
    return (
      <EmptyState title="No alert has ended so" icon={<Archive size={20} aria-hidden />}>
        <p>Alerts that operators resolve, or the person cancels with the PIN, are kept here.</p>
      </EmptyState>
    );
  }
  return (
    <>
      <ul className={styles.list} aria-label="Ended alerts">
        {alerts.map((alert) => (
          <AlertRow
            key={alert.alertId}
            alert={alert}
            nowMs={nowMs}
            isSelected={alert.alertId === selectedId}
            staffName={staffName}
            ended={state}
          />
        ))}
      </ul>
      {found.hasNextPage && pages.length < maxPages && (
        <div className={styles.more}>
          <TextButton disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Older ones
          </TextButton>
        </div>
      )}
    </>
  );
}
