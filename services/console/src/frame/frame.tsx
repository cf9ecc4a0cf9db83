import { lazy, Suspense, useState } from 'react';
import { SkeletonLines } from '../feedback/empty-state.tsx';
import type { View } from '../routing/view.ts';
import { useView } from '../routing/view-store.ts';
import type { SignedInUser } from '../session/token-endpoint.ts';
import { AlarmBar } from '../sos-desk/alarm/alarm-bar.tsx';
import { TripsRoom } from '../trips/trips-room.tsx';
import styles from './frame.module.css';
import { Rail } from './rail.tsx';
import { SearchDialog } from './search-dialog.tsx';
import { TopBar } from './top-bar.tsx';

// The map library is three times the size of everything else: it comes beside the first page, not before it.
const LiveMapRoom = lazy(() => import('../live-map/live-map-room.tsx').then((room) => ({ default: room.LiveMapRoom })));
const SosDeskRoom = lazy(() => import('../sos-desk/sos-desk-room.tsx').then((room) => ({ default: room.SosDeskRoom })));
const SystemRoom = lazy(() => import('../system/system-room.tsx').then((room) => ({ default: room.SystemRoom })));

/** What stays the same in every room. */
export function Frame({ user, onSignOut }: { user: SignedInUser; onSignOut: () => void }) {
  const view = useView();
  const [isSearching, setIsSearching] = useState(false);
  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#room">
        Skip to the room
      </a>
      <AlarmBar />
      <Rail room={view.room} />
      <TopBar user={user} onSignOut={onSignOut} onSearch={() => setIsSearching(true)} />
      <main id="room" className={styles.room} tabIndex={-1}>
        <OpenRoom view={view} />
      </main>
      <SearchDialog isOpen={isSearching} onOpenChange={setIsSearching} />
    </div>
  );
}

function OpenRoom({ view }: { view: View }) {
  if (view.room === 'trips') return <TripsRoom view={view} />;
  if (view.room === 'sos') {
    return (
      <Suspense fallback={<SkeletonLines count={12} label="The room is loading" />}>
        <SosDeskRoom view={view} />
      </Suspense>
    );
  }
  if (view.room === 'system') {
    return (
      <Suspense fallback={<SkeletonLines count={12} label="The room is loading" />}>
        <SystemRoom view={view} />
      </Suspense>
    );
  }
  return (
    <Suspense fallback={<div className={styles.mapSkeleton} role="status" aria-label="The map is loading" />}>
      <LiveMapRoom view={view} />
    </Suspense>
  );
}
