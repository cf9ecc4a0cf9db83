import { Crosshair, History, Scan, X } from 'lucide-react';
import { IconButton } from '../../feedback/icon-button.tsx';
import { TextButton } from '../../feedback/text-button.tsx';
import { changeMapView } from '../../routing/view-store.ts';
import type { Selected } from '../selection/use-selected.ts';
import type { Track } from '../track/use-track.ts';
import styles from './panel.module.css';
import { TrackSection } from './track-section.tsx';
import { TripSection } from './trip-section.tsx';
import { VehicleSection } from './vehicle-section.tsx';

/** What is known of the selected vehicle, its trip and its track. */
export function DetailsPanel(input: {
  selected: Selected;
  track: Track;
  isFollowing: boolean;
  isReplaying: boolean;
  isTrackPlain: boolean;
  onFollow: () => void;
  onReplay: () => void;
  onFit: () => void;
}) {
  const { selected, track } = input;
  const { driverId, tripId, position, trip } = selected;
  const canFollow = position !== undefined || input.isReplaying;
  const canReplay = (track.shape?.points.length ?? 0) > 1;
  return (
    <aside className={styles.panel} aria-label="Details">
      <header className={styles.header}>
        <div>
          <small>{tripId === undefined ? 'Driver' : 'Trip'}</small>
          <h2 title={trip?.reference ?? tripId ?? driverId}>{trip?.reference ?? tripId ?? driverId}</h2>
        </div>
        <IconButton
          label="Close the details"
          keyName="Esc"
          onClick={() => changeMapView({ selection: undefined, isFollowing: undefined, replayAtMs: undefined })}
        >
          <X size={16} aria-hidden />
        </IconButton>
      </header>
      <div className={styles.actions} role="toolbar" aria-label="Actions">
        <TextButton keyName="F" isPressed={input.isFollowing} disabled={!canFollow} onClick={input.onFollow}>
          <Crosshair size={14} aria-hidden /> {input.isFollowing ? 'Following' : 'Follow'}
        </TextButton>
        <TextButton keyName="R" isPressed={input.isReplaying} disabled={!canReplay} onClick={input.onReplay}>
          <History size={14} aria-hidden /> Replay
        </TextButton>
        <IconButton label="Show all of it on the map" onClick={input.onFit}>
          <Scan size={16} aria-hidden />
        </IconButton>
      </div>
      <div className={styles.body}>
        <VehicleSection driverId={driverId} position={position} isReplaying={input.isReplaying} />
        {tripId !== undefined && <TripSection selected={selected} />}
        {tripId !== undefined && <TrackSection tripId={tripId} track={track} isPlain={input.isTrackPlain} />}
      </div>
    </aside>
  );
}
