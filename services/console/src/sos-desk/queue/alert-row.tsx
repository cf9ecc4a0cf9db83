import { formatView, type SosView } from '../../routing/view.ts';
import { navigate } from '../../routing/view-store.ts';
import { formatAbsolute, formatAge, formatMoment } from '../../time/format-time.ts';
import { AlertMark } from '../alerts/alert-mark.tsx';
import { type DeskAlert, isOpen } from '../alerts/desk-alert.ts';
import { describeEscalation, describeHolder } from '../alerts/words.ts';
import styles from './queue.module.css';

/** One alert in a list: who, since when, who has it, and what happens next. */
export function AlertRow({
  alert,
  nowMs,
  isSelected,
  staffName,
  ended,
}: {
  alert: DeskAlert;
  nowMs: number;
  isSelected: boolean;
  staffName: (userId: string | undefined) => string;
  ended?: SosView['ended'];
}) {
  const target: SosView = { room: 'sos', alertId: alert.alertId, ...(ended && { ended }) };
  const pressedMs = Date.parse(alert.acceptedAt);
  const holder = describeHolder(alert, { name: staffName, nowMs });
  return (
    <li className={styles.row} data-selected={isSelected || undefined}>
      <a
        href={formatView(target)}
        aria-current={isSelected ? 'true' : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey) return;
          event.preventDefault();
          navigate(target);
        }}
      >
        <span className={styles.head}>
          <AlertMark alert={alert} />
          <time dateTime={alert.acceptedAt} title={formatAbsolute(pressedMs)}>
            {isOpen(alert) ? formatAge(nowMs - pressedMs) : formatMoment(pressedMs, nowMs)}
          </time>
        </span>
        <span className={styles.person}>
          <strong>{alert.userId}</strong> {alert.role}
        </span>
        {holder !== undefined && <span className={styles.holder}>{holder}</span>}
        {isOpen(alert) && <span className={styles.next}>{describeEscalation(alert, nowMs)}</span>}
        <Warnings alert={alert} />
      </a>
    </li>
  );
}

const lowBatteryPercent = 15;

/** What makes an alert another than most. */
function Warnings({ alert }: { alert: DeskAlert }) {
  const words = [
    alert.isDuress && 'Under duress',
    alert.pressCount > 1 && `Pressed ${alert.pressCount} times`,
    alert.isLate && 'Came late',
    alert.isTokenExpired && 'Signed in long ago',
    alert.location === undefined && 'No location',
    (alert.batteryPercent ?? 100) < lowBatteryPercent && `Battery ${alert.batteryPercent} %`,
    alert.isProvisional && 'Not in the database yet',
  ].filter((word) => typeof word === 'string');
  if (words.length === 0) return null;
  return (
    <span className={styles.warnings}>
      {words.map((word) => (
        <span key={word}>{word}</span>
      ))}
    </span>
  );
}
