import { SkeletonLines } from '../../feedback/empty-state.tsx';
import { formatAbsolute, formatClock } from '../../time/format-time.ts';
import type { ShownAlert } from '../alerts/use-alert.ts';
import { useContactNames } from '../alerts/use-names.ts';
import { describeEntry, describeMessage, describeRecipient, type OutboxEntry } from '../alerts/words.ts';
import styles from './panel.module.css';
import { groupByPerson, type News, newsOf } from './reached.ts';

/** Who was reached, by which way, and how far each message has come. */
export function ReachedSection({ alert: { userId, outbox, facts } }: { alert: NonNullable<ShownAlert['alert']> }) {
  const nameOf = useContactNames(userId);
  return (
    <section className={styles.section} aria-labelledby="reached-heading">
      <h3 id="reached-heading">Who was reached</h3>
      {outbox === undefined ? (
        <SkeletonLines count={4} label="Messages are loading" />
      ) : (
        <ul className={styles.people}>
          {groupByPerson(outbox).map((reached) => (
            <li key={reached.key}>
              <strong>{describeRecipient(reached, nameOf)}</strong>
              <ul aria-label={`Messages to ${describeRecipient(reached, nameOf)}`}>
                {reached.entries.map((entry) => (
                  <EntryLine key={entry.entryId} entry={entry} news={newsOf(entry.entryId, facts)} />
                ))}
              </ul>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function EntryLine({ entry, news }: { entry: OutboxEntry; news: News | undefined }) {
  const { state, attempts } = entry;
  return (
    <li className={styles.entry} data-state={state}>
      <span>{describeMessage(entry)}</span>
      <span className={styles.entryState}>
        <StateShape state={state} />
        {describeEntry(entry)}
        {state === 'FAILED' && news?.reason !== undefined && `: ${news.reason}`}
      </span>
      <small>
        {attempts > 1 && `${attempts} tries · `}
        {news !== undefined && (
          <time dateTime={news.at} title={formatAbsolute(Date.parse(news.at))}>
            {formatClock(Date.parse(news.at))}
          </time>
        )}
      </small>
    </li>
  );
}

/** Each state has a shape of its own. */
function StateShape({ state }: { state: OutboxEntry['state'] }) {
  return (
    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {state === 'PENDING' && (
        <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="2 2" />
      )}
      {state === 'SENDING' && <path d="M2 6h7M6 3l3 3-3 3" fill="none" stroke="currentColor" strokeWidth="1.6" />}
      {state === 'ACCEPTED' && <path d="M2 6.5 4.8 9 10 3.5" fill="none" stroke="currentColor" strokeWidth="1.6" />}
      {state === 'DELIVERED' && (
        <path d="M.8 6.5 3.4 9 8 3.5M5.4 8 6.5 9l4.7-5.5" fill="none" stroke="currentColor" strokeWidth="1.5" />
      )}
      {state === 'FAILED' && <path d="M2.5 2.5l7 7m0-7l-7 7" stroke="currentColor" strokeWidth="1.8" />}
    </svg>
  );
}
