import { Search, Users } from 'lucide-react';
import { Fragment, useEffect, useRef, useState } from 'react';
import { EmptyState } from '../../feedback/empty-state.tsx';
import { Key, TextButton } from '../../feedback/text-button.tsx';
import { useKey } from '../../feedback/use-key.ts';
import { isId } from '../../routing/view.ts';
import { navigate } from '../../routing/view-store.ts';
import { ConnectionList } from './connection-list.tsx';
import { NoticeDialog } from './notice-dialog.tsx';
import styles from './person.module.css';
import { SignOutDialog } from './sign-out-dialog.tsx';

/** Long enough to be read. */
const toldMs = 8_000;

/** One person's open connections on all nodes, and what operators can do about them. */
export function PersonPanel({ userId }: { userId: string | undefined }) {
  const [told, tell] = useTold();
  return (
    <aside className={styles.panel} aria-labelledby="person-heading">
      <h2 id="person-heading" tabIndex={-1}>
        Connections of a person
      </h2>
      <PersonSearch userId={userId} />
      {userId === undefined ? (
        <EmptyState title="Nobody is looked up" icon={<Users size={20} aria-hidden />}>
          <p>The id of a driver, a rider or an operator shows their open connections on all nodes.</p>
        </EmptyState>
      ) : (
        // A draft, a reason, an open question are about one person.
        <Fragment key={userId}>
          <ConnectionList userId={userId} onDone={tell} />
          <div className={styles.actions}>
            <NoticeDialog userId={userId} onDone={tell} />
            <SignOutDialog userId={userId} onDone={tell} />
          </div>
        </Fragment>
      )}
      <p role="status" className={styles.told}>
        {told}
      </p>
    </aside>
  );
}

function PersonSearch({ userId }: { userId: string | undefined }) {
  const [text, setText] = useState(userId ?? '');
  const [isRefused, setIsRefused] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useKey('/', () => field.current?.focus());
  useEffect(() => setText(userId ?? ''), [userId]);

  function look(event: React.FormEvent): void {
    event.preventDefault();
    const asked = text.trim();
    setIsRefused(asked !== '' && !isId(asked));
    if (asked === '') navigate({ room: 'system' });
    else if (isId(asked)) navigate({ room: 'system', userId: asked });
  }

  return (
    <form className={styles.search} aria-label="Look up a person" onSubmit={look}>
      <label>
        <Search size={16} aria-hidden />
        <span className="spoken-only">User id</span>
        <input
          ref={field}
          type="search"
          placeholder="User id"
          autoCapitalize="off"
          autoComplete="off"
          spellCheck={false}
          value={text}
          maxLength={64}
          aria-keyshortcuts="/"
          aria-invalid={isRefused}
          aria-describedby={isRefused ? 'user-id-problem' : undefined}
          onChange={(event) => setText(event.target.value)}
        />
        <Key name="/" />
      </label>
      <TextButton type="submit">Look up</TextButton>
      {isRefused && (
        <p id="user-id-problem" role="alert">
          An id is made of letters, digits, _ and - only.
        </p>
      )}
    </form>
  );
}

/** A sentence about what was just done, for a while. */
function useTold(): [told: string, tell: (words: string) => void] {
  const [told, tell] = useState('');
  useEffect(() => {
    if (told === '') return undefined;
    const timer = setTimeout(() => tell(''), toldMs);
    return () => clearTimeout(timer);
  }, [told]);
  return [told, tell];
}
