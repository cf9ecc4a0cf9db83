import { endedStates, type SosView } from '../../routing/view.ts';
import { navigate } from '../../routing/view-store.ts';
import styles from './queue.module.css';

const words = { open: 'Open', resolved: 'Resolved', false_alarm: 'False alarms', cancelled: 'Cancelled' } as const;

/** What the list shows; the selected alert stays. */
export function QueueFilter({ view, openCount }: { view: SosView; openCount: number }) {
  return (
    <fieldset className={styles.filter}>
      <legend className="spoken-only">Alerts</legend>
      {([undefined, ...endedStates] as const).map((ended) => (
        <label key={ended ?? 'open'} data-chosen={ended === view.ended || undefined}>
          <input
            type="radio"
            name="alerts"
            className="spoken-only"
            checked={ended === view.ended}
            onChange={() =>
              navigate(
                { room: 'sos', ...(view.alertId !== undefined && { alertId: view.alertId }), ...(ended && { ended }) },
                { replace: true },
              )
            }
          />
          {words[ended ?? 'open']}
          {ended === undefined && openCount > 0 && <span> {openCount}</span>}
        </label>
      ))}
    </fieldset>
  );
}
