import { useBackend } from '../../data/backend.ts';
import { ActionDialog } from '../../feedback/action-dialog.tsx';
import { useTicking } from '../../time/use-ticking.ts';
import type { DeskAlert } from '../alerts/desk-alert.ts';
import { useStaffName } from '../alerts/use-names.ts';
import { describeHolder } from '../alerts/words.ts';
import { problemOf } from './order-problem.ts';
import type { AlertOrders } from './use-alert-orders.ts';

/** A colleague works on it: asked before it is taken from them. */
export function TakeOverDialog({
  isOpen,
  alert,
  orders,
  onClose,
}: {
  isOpen: boolean;
  alert: DeskAlert;
  orders: AlertOrders;
  onClose: () => void;
}) {
  const { clock } = useBackend();
  const nowMs = useTicking(clock.nowMs, 1_000);
  const name = useStaffName();
  return (
    <ActionDialog
      isOpen={isOpen}
      onOpenChange={(willBeOpen) => !willBeOpen && onClose()}
      title={`Take the alert over from ${name(alert.claimedBy)}?`}
      confirm={{ words: 'Take over', wordsWhileBusy: 'Taking over…' }}
      onConfirm={() => orders.give({ kind: 'claim', takeOver: true }, onClose)}
      isBusy={orders.isBusy}
      problem={problemOf(orders, 'claim')}
    >
      <p>{describeHolder(alert, { name, nowMs })}. They see at once that you have it now.</p>
    </ActionDialog>
  );
}
