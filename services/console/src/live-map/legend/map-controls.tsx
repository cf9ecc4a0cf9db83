import { Maximize, Minus, Plus } from 'lucide-react';
import { IconButton } from '../../feedback/icon-button.tsx';
import type { LiveMap } from '../map/create-live-map.ts';
import styles from './legend.module.css';

export function MapControls({ map, onFitFleet }: { map: LiveMap | undefined; onFitFleet: () => void }) {
  return (
    <div className={styles.controls} role="toolbar" aria-label="Map" aria-orientation="vertical">
      <IconButton label="Zoom in" disabled={map === undefined} onClick={() => map?.zoomBy(1)}>
        <Plus size={16} aria-hidden />
      </IconButton>
      <IconButton label="Zoom out" disabled={map === undefined} onClick={() => map?.zoomBy(-1)}>
        <Minus size={16} aria-hidden />
      </IconButton>
      <IconButton label="Show the whole fleet" keyName="0" disabled={map === undefined} onClick={onFitFleet}>
        <Maximize size={16} aria-hidden />
      </IconButton>
    </div>
  );
}
