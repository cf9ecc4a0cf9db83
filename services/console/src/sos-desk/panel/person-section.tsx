import { ExternalLink } from 'lucide-react';
import { useBackend } from '../../data/backend.ts';
import { CopyButton } from '../../feedback/copy-button.tsx';
import { formatView, type View } from '../../routing/view.ts';
import { navigate } from '../../routing/view-store.ts';
import { formatAbsolute, formatAgo } from '../../time/format-time.ts';
import { useTicking } from '../../time/use-ticking.ts';
import type { ShownAlert } from '../alerts/use-alert.ts';
import styles from './panel.module.css';

type Alert = NonNullable<ShownAlert['alert']>;

const notTold = 'Not told';
const notReadYet = '…';

/** Who presses, with which phone, where, and on which trip. */
export function PersonSection({ alert }: { alert: Alert }) {
  const { batteryPercent, device, note, tripId, pressCount, facts } = alert;
  // An event says less than there is to know.
  const unknown = facts === undefined ? notReadYet : notTold;
  return (
    <section className={styles.section} aria-labelledby="person-heading">
      <h3 id="person-heading">Person</h3>
      {note !== undefined && <p className={styles.note}>“{note}”</p>}
      <dl className={styles.facts}>
        <Fact name="Role">{alert.role}</Fact>
        <Fact name="Pressed">{pressCount === 1 ? 'Once' : `${pressCount} times`}</Fact>
        <Fact name="Battery">{batteryPercent === undefined ? unknown : `${batteryPercent} %`}</Fact>
        <Fact name="Phone">{describeDevice(device) ?? unknown}</Fact>
        <LocationFacts alert={alert} />
        <Fact name="Trip">{tripId === undefined ? 'None' : <TripLink tripId={tripId} />}</Fact>
      </dl>
    </section>
  );
}

function LocationFacts({ alert: { location, mapUrl } }: { alert: Alert }) {
  const { clock } = useBackend();
  const nowMs = useTicking(clock.nowMs, 1_000);
  if (location === undefined) return <Fact name="Pressed at">{notTold}</Fact>;
  const { lat, lng, accuracyMeters, recordedAt } = location;
  const text = `${lat.toFixed(5)}, ${lng.toFixed(5)}`;
  return (
    <>
      <Fact name="Accuracy">{accuracyMeters === undefined ? notTold : `± ${Math.round(accuracyMeters)} m`}</Fact>
      <Fact name="Located">
        <time dateTime={recordedAt} title={formatAbsolute(Date.parse(recordedAt))}>
          {formatAgo(nowMs - Date.parse(recordedAt))}
        </time>
      </Fact>
      <Fact name="Pressed at" isWide>
        {text} <CopyButton text={text} label="Copy the coordinates" />
        {mapUrl !== undefined && (
          <a className={styles.link} href={mapUrl} target="_blank" rel="noreferrer">
            Open a map <ExternalLink size={12} aria-hidden />
          </a>
        )}
      </Fact>
    </>
  );
}

function TripLink({ tripId }: { tripId: string }) {
  const target: View = { room: 'map', selection: { kind: 'trip', id: tripId } };
  return (
    <a
      className={styles.link}
      href={formatView(target)}
      title={tripId}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey) return;
        event.preventDefault();
        navigate(target);
      }}
    >
      {tripId}
    </a>
  );
}

function Fact({ name, isWide, children }: { name: string; isWide?: boolean; children: React.ReactNode }) {
  return (
    <div data-wide={isWide || undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function describeDevice(device: Alert['device']): string | undefined {
  const words = [
    device?.model ?? device?.platform,
    device?.osVersion,
    device?.appVersion && `app ${device.appVersion}`,
  ];
  const known = words.filter((word) => word !== undefined);
  return known.length === 0 ? undefined : known.join(', ');
}
