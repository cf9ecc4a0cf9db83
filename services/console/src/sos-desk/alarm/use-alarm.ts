import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { useBackend } from '../../data/backend.ts';
import { useTicking } from '../../time/use-ticking.ts';
import type { DeskAlert } from '../alerts/desk-alert.ts';
import { unclaimedOf, useAlertFeed } from '../alerts/use-alerts.ts';
import { type Alarm, decideAlarm } from './decide-alarm.ts';
import type { SirenState } from './siren.ts';

export interface AlarmView {
  /** Alerts that nobody works on, most urgent first. */
  unclaimed: readonly DeskAlert[];
  alarm: Alarm;
  siren: SirenState;
  silence: () => void;
  unlock: () => void;
}

/** Keeps the siren to what the alerts ask for. Use it in one place: it is what makes the noise. */
export function useAlarm(): AlarmView {
  const { siren } = useBackend();
  const { alerts, loud } = useAlertFeed();
  const unclaimed = unclaimedOf(alerts);
  const [silencedAtMs, setSilencedAtMs] = useState<number>();
  const unclaimedCount = unclaimed.length;
  const loudAtMs = loud?.atMs;
  const decide = useCallback(
    () => decideAlarm({ unclaimedCount, loudAtMs, silencedAtMs, nowMs: Date.now() }),
    [unclaimedCount, loudAtMs, silencedAtMs],
  );
  const alarm = useTicking(decide, 500);
  const state = useSyncExternalStore(siren.subscribe, siren.state);
  useEffect(() => siren.setSounding(alarm.kind === 'on'), [siren, alarm.kind]);
  return {
    unclaimed,
    alarm,
    siren: state,
    silence: () => setSilencedAtMs(Date.now()),
    unlock: () => void siren.unlock(),
  };
}
