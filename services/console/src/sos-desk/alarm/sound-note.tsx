import { Volume2, VolumeX } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { useBackend } from '../../data/backend.ts';
import styles from './sound-note.module.css';

/** Whether an alert would be heard; better known before there is one. */
export function SoundNote() {
  const { siren } = useBackend();
  const isAllowed = useSyncExternalStore(siren.subscribe, siren.isAllowed);
  if (isAllowed) {
    return (
      <span className={styles.note}>
        <Volume2 size={14} aria-hidden /> Sound is on
      </span>
    );
  }
  return (
    <button type="button" className={styles.note} data-blocked="true" onClick={() => void siren.unlock()}>
      <VolumeX size={14} aria-hidden /> No sound yet: click here
    </button>
  );
}
