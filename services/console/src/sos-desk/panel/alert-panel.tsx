import { ShieldQuestion } from 'lucide-react';
import { useBackend } from '../../data/backend.ts';
import { EmptyState, SkeletonLines } from '../../feedback/empty-state.tsx';
import { ProblemNote } from '../../feedback/problem-note.tsx';
import { formatAbsolute, formatAgo } from '../../time/format-time.ts';
import { useTicking } from '../../time/use-ticking.ts';
import { ActionBar } from '../actions/action-bar.tsx';
import { AlertMark } from '../alerts/alert-mark.tsx';
import { type DeskAlert, isOpen } from '../alerts/desk-alert.ts';
import type { ShownAlert } from '../alerts/use-alert.ts';
import { useStaffName } from '../alerts/use-names.ts';
import { describeEscalation, describeHolder } from '../alerts/words.ts';
import styles from './panel.module.css';
import { PersonSection } from './person-section.tsx';
import { ReachedSection } from './reached-section.tsx';

/** What is known of the selected alert, and what can be done about it. */
export function AlertPanel({ shown }: { shown: ShownAlert }) {
  const { alert, error, isLoading, retry } = shown;
  return (
    <aside className={styles.panel} aria-label="Alert">
      {alert === undefined ? (
        <div className={styles.none}>
          {isLoading && <SkeletonLines count={12} label="The alert is loading" />}
          {error !== null && <ProblemNote error={error} what="The alert could not be read." onRetry={retry} />}
          {!isLoading && error === null && (
            <EmptyState title="No alert is selected" icon={<ShieldQuestion size={20} aria-hidden />}>
              <p>What is chosen in the list is shown here: who calls, who was reached, and what can be done.</p>
            </EmptyState>
          )}
        </div>
      ) : (
        <>
          <Head alert={alert} />
          {/* An order, a draft and a question are about one alert. */}
          <ActionBar key={alert.alertId} alert={alert} />
          <div className={styles.body}>
            {error !== null && (
              <div className={styles.section}>
                <ProblemNote
                  error={error}
                  what="The details are not renewed."
                  stillWorks="What is shown is the last that came; new alerts still arrive while the connection is live."
                  onRetry={retry}
                />
              </div>
            )}
            <PersonSection alert={alert} />
            <ReachedSection alert={alert} />
          </div>
        </>
      )}
    </aside>
  );
}

function Head({ alert }: { alert: DeskAlert }) {
  const { clock } = useBackend();
  const nowMs = useTicking(clock.nowMs, 1_000);
  const name = useStaffName();
  const acceptedMs = Date.parse(alert.acceptedAt);
  return (
    <header className={styles.header}>
      <div className={styles.state}>
        <AlertMark alert={alert} />
        <time dateTime={alert.acceptedAt} title={formatAbsolute(acceptedMs)}>
          {formatAgo(nowMs - acceptedMs)}
        </time>
      </div>
      <h2 title={alert.userId}>{alert.userId}</h2>
      <p className={styles.holder}>{describeHolder(alert, { name, nowMs }) ?? 'Nobody has claimed it'}</p>
      {isOpen(alert) && (
        <p className={styles.escalation} data-stopped={alert.state === 'acknowledged' || undefined}>
          {describeEscalation(alert, nowMs)}
        </p>
      )}
      {alert.isDuress && (
        <p className={styles.duress}>
          Under duress: the phone shows a cancelled alert. Do not call it back about the alarm.
        </p>
      )}
      {alert.closeReason !== undefined && <p className={styles.reason}>“{alert.closeReason}”</p>}
    </header>
  );
}
