import { useState } from 'react';
import { createRandomId } from '../../data/random-id.ts';
import { ActionDialog } from '../../feedback/action-dialog.tsx';
import type { DeskAlert } from '../alerts/desk-alert.ts';
import { problemOf } from './order-problem.ts';
import type { AlertOrders } from './use-alert-orders.ts';

/** Asked before a phone rings: it may be in the wrong hands. */
export function CallDialog({
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
  // The same until it was given: sent again it is still one call.
  const [callId, setCallId] = useState(createRandomId);
  return (
    <ActionDialog
      isOpen={isOpen}
      onOpenChange={(willBeOpen) => !willBeOpen && onClose()}
      title={`Have ${alert.userId} called?`}
      confirm={{ words: 'Call', wordsWhileBusy: 'Calling…', isDestructive: alert.isDuress === true }}
      onConfirm={() =>
        orders.give({ kind: 'call', callId }, () => {
          setCallId(createRandomId());
          onClose();
        })
      }
      isBusy={orders.isBusy}
      problem={problemOf(orders, 'call')}
    >
      <p>
        Their own verified number rings, and a voice says that it is about their ride. Nobody gets to see the number.
      </p>
      {alert.isDuress && (
        <p>
          <strong>They are under duress.</strong> Whoever made them cancel the alert may hear the phone ring.
        </p>
      )}
    </ActionDialog>
  );
}
