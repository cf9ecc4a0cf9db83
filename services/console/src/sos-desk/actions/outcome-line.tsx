import { useBackend } from '../../data/backend.ts';
import { ProblemNote } from '../../feedback/problem-note.tsx';
import { useTicking } from '../../time/use-ticking.ts';
import type { DeskAlert } from '../alerts/desk-alert.ts';
import { useStaffName } from '../alerts/use-names.ts';
import { describeHolder } from '../alerts/words.ts';
import styles from './actions.module.css';
import { describeFailure } from './order-problem.ts';
import type { Order, Outcome } from './use-alert-orders.ts';

const doneWords: Record<Order['kind'], string> = {
  claim: 'You have it. The escalation goes on until somebody acknowledges.',
  acknowledge: 'Acknowledged: the escalation has stopped.',
  call: 'The person is being called; how it goes stands under “Who was reached”.',
  note: 'The note is kept.',
  resolve: 'The alert is resolved.',
  dismiss: 'The alert is closed as a false alarm.',
};

/** What became of the newest order. It has its place always, so that nothing moves when it speaks. */
export function OutcomeLine({
  alert,
  outcome,
  isBusy,
}: {
  alert: DeskAlert;
  outcome: Outcome | undefined;
  isBusy: boolean;
}) {
  const { clock } = useBackend();
  const nowMs = useTicking(clock.nowMs, 1_000);
  const name = useStaffName();
  if (!isBusy && outcome?.result === 'failed') {
    return (
      <ProblemNote
        error={outcome.error}
        what={describeFailure(outcome.kind, outcome.error)}
        stillWorks="Nothing is kept to be sent later: do it again when the connection is back."
      />
    );
  }
  return (
    <p className={styles.outcome} role="status" data-lost={(!isBusy && outcome?.result === 'lost') || undefined}>
      {wordsOf()}
    </p>
  );

  function wordsOf(): string {
    if (isBusy) return 'On its way …';
    if (outcome?.result === 'done') return doneWords[outcome.kind];
    if (outcome?.result === 'held') return `${doneWords[outcome.kind]} The alert shows it when the database is back.`;
    if (outcome?.result === 'lost') return `A colleague was faster. ${describeHolder(alert, { name, nowMs }) ?? ''}`;
    return '';
  }
}
