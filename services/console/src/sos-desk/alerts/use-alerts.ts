import { useSyncExternalStore } from 'react';
import { useBackend } from '../../data/backend.ts';
import type { FeedState } from './alert-feed.ts';
import { type DeskAlert, urgencyOf } from './desk-alert.ts';

/** Open alerts, and how well they are known. */
export function useAlertFeed(): FeedState {
  const { alerts } = useBackend();
  return useSyncExternalStore(alerts.subscribe, alerts.state);
}

/** Those that nobody works on, most urgent first. */
export const unclaimedOf = (alerts: readonly DeskAlert[]): DeskAlert[] =>
  alerts.filter((alert) => urgencyOf(alert) === 'unclaimed');
