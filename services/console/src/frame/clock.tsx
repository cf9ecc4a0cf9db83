import { formatAbsolute, formatClock, zoneName } from '../time/format-time.ts';
import { useTicking } from '../time/use-ticking.ts';
import styles from './frame.module.css';

const wholeSecond = (): number => Math.floor(Date.now() / 1000) * 1000;

/** The operator's time, with its zone: a control room talks to people elsewhere. */
export function Clock() {
  const nowMs = useTicking(wholeSecond, 250);
  return (
    <time className={styles.clock} dateTime={new Date(nowMs).toISOString()} title={formatAbsolute(nowMs)}>
      {formatClock(nowMs)}
      <small>{zoneName(nowMs)}</small>
    </time>
  );
}
