import { lazy, Suspense, useState } from 'react';
import { useView } from '../routing/view-store.ts';
import type { SignedInUser } from '../session/token-endpoint.ts';
import { TripsRoom } from '../trips/trips-room.tsx';
import styles from './frame.module.css';
import { Rail } from './rail.tsx';
import { SearchDialog } from './search-dialog.tsx';
import { TopBar } from './top-bar.tsx';

// The map library is three times the size of everything else: it comes beside the first page, not before it.
const LiveMapRoom = lazy(() => import('../live-map/live-map-room.tsx').then((room) => ({ default: room.LiveMapRoom })));

/** What stays the same in every room. */
export function Frame({ user, onSignOut }: { user: SignedInUser; onSignOut: () => void }) {
  const view = useView();
  const [isSearching, setIsSearching] = useState(false);
  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#room">
        Skip to the room
      </a>
      <Rail room={view.room} />
      <TopBar user={user} onSignOut={onSignOut} onSearch={() => setIsSearching(true)} />
      <main id="room" className={styles.room} tabIndex={-1}>
        {view.room === 'trips' ? (
          <TripsRoom view={view} />
        ) : (
          <Suspense fallback={<div className={styles.mapSkeleton} role="status" aria-label="The map is loading" />}>
            <LiveMapRoom view={view} />
          </Suspense>
        )}
      </main>
      <SearchDialog isOpen={isSearching} onOpenChange={setIsSearching} />
    </div>
  );
}
