import type { Alert } from '@hushryd/contracts/http/sos';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useBackend } from '../../data/backend.ts';
import { type DeskAlert, isOpen } from './desk-alert.ts';
import { useAlertFeed } from './use-alerts.ts';

export const alertKey = (alertId: string) => ['alert', alertId] as const;

/** Sending is not announced: while an alert is open, it is looked at this often. */
const renewMs = 2_000;

export interface ShownAlert {
  /** The newest of what was read and what was told. */
  alert: (DeskAlert & Pick<Alert, 'device' | 'note' | 'outbox' | 'facts' | 'factCount'>) | undefined;
  error: unknown;
  isLoading: boolean;
  retry: () => void;
}

/** One alert with all that is known of it. */
export function useAlert(alertId: string | undefined): ShownAlert {
  const { http, alerts } = useBackend();
  const queries = useQueryClient();
  const known = useAlertFeed().alerts.find((alert) => alert.alertId === alertId);
  const read = useQuery({
    queryKey: alertKey(alertId ?? ''),
    queryFn: () => http.getAlert(alertId ?? ''),
    enabled: alertId !== undefined,
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data === undefined || isOpen(state.data) ? renewMs : false),
  });
  useEffect(
    () =>
      alerts.onChange((changedId) => {
        if (changedId !== alertId) return;
        void queries.invalidateQueries({ queryKey: alertKey(alertId) });
      }),
    [alerts, queries, alertId],
  );
  return {
    alert: newest(known, read.data),
    error: read.error,
    isLoading: read.isLoading,
    retry: () => void read.refetch(),
  };
}

function newest(told: DeskAlert | undefined, read: Alert | undefined): ShownAlert['alert'] {
  if (told === undefined || read === undefined) return read ?? told;
  return told.version > read.version ? { ...read, ...told } : read;
}
