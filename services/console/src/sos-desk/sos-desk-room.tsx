import { useEffect } from 'react';
import { useBackend } from '../data/backend.ts';
import { Key } from '../feedback/text-button.tsx';
import { useKey } from '../feedback/use-key.ts';
import type { SosView } from '../routing/view.ts';
import { navigate } from '../routing/view-store.ts';
import { SoundNote } from './alarm/sound-note.tsx';
import type { DeskAlert } from './alerts/desk-alert.ts';
import { useAlert } from './alerts/use-alert.ts';
import { useAlertFeed } from './alerts/use-alerts.ts';
import { AlertMapView } from './map/alert-map.tsx';
import { useTrail } from './map/use-trail.ts';
import { AlertPanel } from './panel/alert-panel.tsx';
import { AlertQueue } from './queue/alert-queue.tsx';
import { DeskNotice } from './queue/desk-notice.tsx';
import { EndedList } from './queue/ended-list.tsx';
import { QueueFilter } from './queue/queue-filter.tsx';
import { SimulatedSos } from './simulated/simulated-sos.tsx';
import styles from './sos-desk.module.css';
import { Timeline } from './timeline/timeline.tsx';

/** Calls for help: who waits, what is known, and everything that can be done, a key away. */
export function SosDeskRoom({ view }: { view: SosView }) {
  const { config } = useBackend();
  const feed = useAlertFeed();
  const shown = useAlert(view.alertId);
  const { alert } = shown;
  const trail = useTrail(alert?.alertId);
  useFirstSelected(view, feed.alerts);
  useKey('j', () => step(view, feed.alerts, 1), view.ended === undefined);
  useKey('k', () => step(view, feed.alerts, -1), view.ended === undefined);

  return (
    <div className={styles.room}>
      <DeskNotice feed={feed} />
      <div className={styles.columns}>
        <section className={styles.queue} aria-label="Alerts">
          <header className={styles.header}>
            <h1>SOS desk</h1>
            <SoundNote />
          </header>
          <div className={styles.filter}>
            <QueueFilter view={view} openCount={feed.alerts.length} />
          </div>
          <div className={styles.list}>
            {view.ended === undefined ? (
              <AlertQueue feed={feed} selectedId={alert?.alertId ?? view.alertId} whenEmpty={<WhatFillsIt />} />
            ) : (
              <EndedList state={view.ended} selectedId={view.alertId} />
            )}
          </div>
          <footer className={styles.footer}>
            {config.simulation !== null && <SimulatedSos simulation={config.simulation} />}
            <p>
              <Key name="J" /> <Key name="K" /> next, previous
            </p>
          </footer>
        </section>
        <div className={styles.middle}>
          <AlertMapView alertId={alert?.alertId} location={alert?.location} trail={trail} />
          <Timeline shown={shown} />
        </div>
        <AlertPanel shown={shown} />
      </div>
    </div>
  );
}

function WhatFillsIt() {
  const { config } = useBackend();
  return (
    <p>
      A rider or driver who presses SOS appears here within a second, with a sound.
      {config.simulation !== null && ' The button below lets a simulated rider do so.'}
    </p>
  );
}

/** With nothing chosen the most urgent alert is; what is chosen stays, whatever comes after it. */
function useFirstSelected(view: SosView, alerts: readonly DeskAlert[]): void {
  const firstId = alerts[0]?.alertId;
  useEffect(() => {
    if (view.alertId === undefined && view.ended === undefined && firstId !== undefined)
      navigate({ room: 'sos', alertId: firstId }, { replace: true });
  }, [view, firstId]);
}

function step({ alertId }: SosView, alerts: readonly DeskAlert[], by: 1 | -1): void {
  const at = alerts.findIndex((alert) => alert.alertId === alertId);
  const next = alerts[at === -1 ? 0 : Math.max(0, Math.min(alerts.length - 1, at + by))];
  if (next !== undefined) navigate({ room: 'sos', alertId: next.alertId });
}
