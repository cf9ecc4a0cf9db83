import { BellOff, BellRing, Siren as SirenIcon, VolumeX } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useBackend } from '../../data/backend.ts';
import { Key } from '../../feedback/text-button.tsx';
import { useKey } from '../../feedback/use-key.ts';
import { formatView } from '../../routing/view.ts';
import { navigate } from '../../routing/view-store.ts';
import { formatAgo, formatDuration } from '../../time/format-time.ts';
import { useTicking } from '../../time/use-ticking.ts';
import { type DeskAlert, isPressedSinceClaim } from '../alerts/desk-alert.ts';
import { useAlertFeed } from '../alerts/use-alerts.ts';
import { describeEscalation } from '../alerts/words.ts';
import styles from './alarm.module.css';
import { type AlarmView, useAlarm } from './use-alarm.ts';

/** Over every room while nobody works on an alert: who calls for help, since when, and the way there. */
export function AlarmBar() {
  const view = useAlarm();
  const [first] = view.unclaimed;
  useTitle(view.unclaimed.length);
  return (
    <>
      <NewAlerts />
      {first !== undefined && <Bar view={view} first={first} />}
    </>
  );
}

function Bar({ view, first }: { view: AlarmView; first: DeskAlert }) {
  const { clock } = useBackend();
  const nowMs = useTicking(clock.nowMs, 1_000);
  const target = { room: 'sos', alertId: first.alertId } as const;
  const others = view.unclaimed.length - 1;
  const canSilence = view.alarm.kind === 'on';
  useKey('s', () => navigate(target));
  useKey('m', view.silence, canSilence);
  return (
    <section className={styles.bar} aria-label="Unclaimed SOS" data-sound={soundOf(view)}>
      <SirenIcon size={20} aria-hidden />
      <strong>
        {isPressedSinceClaim(first) ? 'SOS pressed again' : 'SOS'}
        {first.isDuress && ', under duress'}
      </strong>
      <span className={styles.who}>
        {first.role} {first.userId}
      </span>
      <span>{formatAgo(nowMs - Date.parse(first.lastPressedAt))}</span>
      <span className={styles.next}>{describeEscalation(first, nowMs)}</span>
      {others > 0 && <span className={styles.others}>and {others} more that nobody has claimed</span>}
      <span className={styles.controls}>
        <SoundControl view={view} />
        <a
          className={styles.open}
          href={formatView(target)}
          aria-keyshortcuts="S"
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey) return;
            event.preventDefault();
            navigate(target);
          }}
        >
          Open the alert <Key name="S" />
        </a>
      </span>
    </section>
  );
}

/** The sound can be put off for a minute, and not for good. */
function SoundControl({ view }: { view: AlarmView }) {
  if (view.alarm.kind === 'silenced') {
    return (
      <span className={styles.sound}>
        <BellOff size={16} aria-hidden /> Silent for {formatDuration(view.alarm.forMs)}
      </span>
    );
  }
  if (view.siren === 'blocked') {
    return (
      <button type="button" className={styles.button} onClick={view.unlock}>
        <VolumeX size={16} aria-hidden /> The browser holds the sound back: press any key or click here
      </button>
    );
  }
  return (
    <button type="button" className={styles.button} aria-keyshortcuts="M" onClick={view.silence}>
      <BellRing size={16} aria-hidden /> Silence for a minute <Key name="M" />
    </button>
  );
}

const soundOf = ({ alarm, siren }: AlarmView): string => (alarm.kind === 'silenced' ? 'silenced' : siren);

/** Heard by those who do not look: each alert once, when it comes. */
function NewAlerts() {
  const { alerts, loud } = useAlertFeed();
  const [said, setSaid] = useState('');
  const alert = alerts.find(({ alertId }) => alertId === loud?.alertId);
  const words = alert && `SOS of ${alert.role} ${alert.userId}`;
  useEffect(() => {
    if (loud !== undefined && words !== undefined) setSaid(words);
  }, [loud, words]);
  return (
    <span className="spoken-only" role="alert">
      {said}
    </span>
  );
}

/** So that the tab says it too. */
function useTitle(unclaimedCount: number): void {
  useEffect(() => {
    const before = document.title;
    if (unclaimedCount > 0) document.title = `(${unclaimedCount}) SOS · ${before}`;
    return () => {
      document.title = before;
    };
  }, [unclaimedCount]);
}
