import { useEffect, useRef, useState } from 'react';
import { describeLink, type LinkStatus } from '../data/link-status.ts';
import { useLinkStatus } from '../data/use-link-status.ts';
import styles from './frame.module.css';

/** How the console hears from the fleet, in words. Changes of kind are read aloud, the passing seconds are not. */
export function LinkPill() {
  const { status, reconnectNow } = useLinkStatus();
  const words = describeLink(status);
  return (
    <>
      <button
        type="button"
        className={styles.pill}
        data-kind={status.kind}
        aria-label={`Connection: ${words}`}
        title={actionOf(status) ?? words}
        disabled={actionOf(status) === undefined}
        onClick={reconnectNow}
      >
        <PillShape kind={status.kind} />
        {words}
      </button>
      <Announcement kind={status.kind} words={words} />
    </>
  );
}

/** What a click on the pill does, if anything. */
function actionOf(status: LinkStatus): string | undefined {
  if (status.kind === 'reconnecting') return 'Try now';
  return status.kind === 'offline' && status.why !== 'no-network' ? 'Connect again' : undefined;
}

/** Each kind of connection has a shape of its own, so that colour is not needed to tell them apart. */
function PillShape({ kind }: { kind: LinkStatus['kind'] }) {
  return (
    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {kind === 'live' && <circle cx="6" cy="6" r="4" fill="currentColor" />}
      {(kind === 'behind' || kind === 'degraded') && <path d="M6 1.5 11 10.5H1Z" fill="currentColor" />}
      {(kind === 'reconnecting' || kind === 'connecting') && (
        <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="1.75" strokeDasharray="4 2.3" />
      )}
      {kind === 'offline' && <path d="M2.5 2.5l7 7m0-7l-7 7" stroke="currentColor" strokeWidth="2" />}
    </svg>
  );
}

function Announcement({ kind, words }: { kind: LinkStatus['kind']; words: string }) {
  const [said, setSaid] = useState('');
  const newest = useRef(words);
  newest.current = words;
  useEffect(() => {
    if (kind !== 'connecting') setSaid(`Connection: ${newest.current}`);
  }, [kind]);
  return (
    <span className="spoken-only" aria-live="polite" aria-atomic="true">
      {said}
    </span>
  );
}
