import { CloudOff, TriangleAlert } from 'lucide-react';
import { useBackend } from '../../data/backend.ts';
import { describeLink } from '../../data/link-status.ts';
import { useLinkStatus } from '../../data/use-link-status.ts';
import { TextButton } from '../../feedback/text-button.tsx';
import { formatAgo } from '../../time/format-time.ts';
import { useTicking } from '../../time/use-ticking.ts';
import type { FeedState } from '../alerts/alert-feed.ts';
import { type DeskHealth, deskHealthOf } from '../alerts/desk-health.ts';
import styles from './desk-notice.module.css';

const words: Record<Exclude<DeskHealth, 'live'>, { title: string; text: string }> = {
  offline: {
    title: 'Offline: new alerts do not arrive here.',
    text: 'Whoever is on call is reached by phone all the same. What you order now fails at once; nothing is kept to be sent later.',
  },
  reading: {
    title: 'Alerts are not told at once.',
    text: 'The queue is read again every four seconds, so a new alert may come that late.',
  },
  'events-only': {
    title: 'The stored alerts cannot be read.',
    text: 'New ones are still told; what became of them may be missing here.',
  },
};

/** What the operators cannot rely on for the moment. Silent while all is well. */
export function DeskNotice({ feed }: { feed: FeedState }) {
  const { alerts, reconnectNow } = useBackend();
  const { status } = useLinkStatus();
  const nowMs = useTicking(Date.now, 1_000);
  const health = deskHealthOf({ link: status.kind, readError: feed.error });
  if (health === 'live') return null;
  const { title, text } = words[health];
  return (
    <div className={styles.notice} role="alert" data-health={health}>
      {health === 'offline' ? <CloudOff size={18} aria-hidden /> : <TriangleAlert size={18} aria-hidden />}
      <div>
        <strong>{title}</strong>
        <p>{text}</p>
      </div>
      <p className={styles.asOf} aria-live="off">
        {describeLink(status)}
        {feed.readAtMs !== undefined && <span>Queue as of {formatAgo(nowMs - feed.readAtMs)}</span>}
      </p>
      <TextButton
        onClick={() => {
          reconnectNow();
          alerts.readNow();
        }}
      >
        Try now
      </TextButton>
    </div>
  );
}
