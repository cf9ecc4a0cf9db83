import type { Alert, SosReply } from '@hushryd/contracts/http/sos';
import { HttpProblem } from '@hushryd/sdk/http/http-problem';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useBackend } from '../../data/backend.ts';
import { alertKey } from '../alerts/use-alert.ts';

/** What an operator can have done about an alert. */
export type Order =
  | { kind: 'claim'; takeOver: boolean }
  | { kind: 'acknowledge' }
  | { kind: 'call'; callId: string }
  | { kind: 'note'; noteId: string; text: string }
  | { kind: 'resolve'; reason: string }
  | { kind: 'dismiss'; reason: string };

/** What became of the newest order. `held`: it counts, and the alert shows it once the database is back. `lost`: a colleague was faster, and the alert says who. */
export type Outcome =
  | { result: 'done' | 'held'; kind: Order['kind'] }
  | { result: 'lost'; kind: Order['kind'] }
  | { result: 'failed'; kind: Order['kind']; error: unknown };

export interface AlertOrders {
  /** Given at once or not at all: nothing is kept for later. @param onDone called when it was carried out */
  give(order: Order, onDone?: () => void): void;
  isBusy: boolean;
  outcome: Outcome | undefined;
}

/** Orders about one alert; mount it anew for another one. */
export function useAlertOrders(alertId: string): AlertOrders {
  const { http, alerts } = useBackend();
  const queries = useQueryClient();
  const [outcome, setOutcome] = useState<Outcome>();

  const giving = useMutation({
    mutationFn: ({ order }: { order: Order; onDone: (() => void) | undefined }) => carryOut(order),
    onSuccess(reply, { order, onDone }) {
      const isHeld = 'durability' in reply;
      if (!isHeld) {
        queries.setQueryData(alertKey(alertId), reply);
        alerts.learn(reply);
      }
      setOutcome({ result: isHeld ? 'held' : 'done', kind: order.kind });
      onDone?.();
    },
    async onError(error, { order }) {
      const { kind } = order;
      if (!(error instanceof HttpProblem && error.code === 'sos_taken')) {
        setOutcome({ result: 'failed', kind, error });
        return;
      }
      // Who won stands in the alert, with the time.
      await queries.invalidateQueries({ queryKey: alertKey(alertId) });
      alerts.readNow();
      setOutcome({ result: 'lost', kind });
    },
  });

  function carryOut(order: Order): Promise<Alert | SosReply> {
    switch (order.kind) {
      case 'claim':
        return http.claimAlert(alertId, { takeOver: order.takeOver });
      case 'acknowledge':
        return http.acknowledgeAlert(alertId);
      case 'call':
        return http.callPerson(alertId, { callId: order.callId });
      case 'note':
        return http.noteAlert(alertId, { noteId: order.noteId, text: order.text });
      case 'resolve':
        return http.resolveAlert(alertId, order.reason);
      case 'dismiss':
        return http.dismissAlert(alertId, order.reason);
    }
  }

  return {
    give(order, onDone) {
      if (!giving.isPending) giving.mutate({ order, onDone });
    },
    isBusy: giving.isPending,
    outcome,
  };
}
