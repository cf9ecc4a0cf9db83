import { Map as MapIcon, Route, ServerCog, Siren } from 'lucide-react';
import { formatView, type View } from '../routing/view.ts';
import { navigate } from '../routing/view-store.ts';
import { useAlertFeed } from '../sos-desk/alerts/use-alerts.ts';
import styles from './frame.module.css';

/** A room appears here when it works, never as an empty shell. */
const rooms = [
  { room: 'map', name: 'Live map', Icon: MapIcon },
  { room: 'sos', name: 'SOS desk', Icon: Siren },
  { room: 'trips', name: 'Trips', Icon: Route },
  { room: 'system', name: 'System', Icon: ServerCog },
] as const satisfies { room: View['room']; name: string; Icon: unknown }[];

export function Rail({ room: current }: { room: View['room'] }) {
  return (
    <nav className={styles.rail} aria-label="Rooms">
      <svg className={styles.mark} viewBox="0 0 32 32" role="img" aria-label="HushRyd">
        <path d="M16 5 25.5 26 16 21.2 6.5 26Z" />
      </svg>
      {rooms.map(({ room, name, Icon }) => (
        <a
          key={room}
          href={formatView({ room })}
          aria-current={room === current ? 'page' : undefined}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey) return;
            event.preventDefault();
            navigate({ room });
          }}
        >
          <Icon size={20} strokeWidth={1.75} aria-hidden />
          <span>{name}</span>
          {room === 'sos' && <OpenCount />}
        </a>
      ))}
    </nav>
  );
}

/** How many alerts are open, wherever the operator is. */
function OpenCount() {
  const { alerts } = useAlertFeed();
  if (alerts.length === 0) return null;
  return (
    <span className={styles.count}>
      {alerts.length}
      <span className="spoken-only"> open</span>
    </span>
  );
}
