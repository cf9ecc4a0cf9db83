import type { AcceptedFix } from '../accept-fix.ts';
import type { StreamedGroup } from './packed-fixes.ts';

/** One fix as MongoDB keeps it. `meta` groups a time series: fixes of one driver and trip lie together, and of an alert while it is open. */
export interface HistoryDocument {
  /** Time of the reading by the phone's clock. */
  ts: Date;
  meta: { driverId: string; tripId?: string; alertId?: string };
  run: number;
  seq: number;
  lat: number;
  lng: number;
  accuracyMeters?: number;
  speedMps?: number;
  headingDegrees?: number;
  batteryPercent?: number;
  /** When it reached us. */
  receivedAt: Date;
  /** It was fresh enough to move the position. */
  live: boolean;
}

/** The documents of one streamed group, in its order. @param alertId the alert that its trip's fixes belong to */
export function toHistoryDocuments(group: StreamedGroup, alertId?: string): HistoryDocument[] {
  const receivedAt = new Date(group.receivedAtMs);
  return group.fixes.map((fix) => toHistoryDocument({ group, alertId, fix, receivedAt }));
}

function toHistoryDocument({
  group,
  alertId,
  fix,
  receivedAt,
}: {
  group: StreamedGroup;
  alertId: string | undefined;
  fix: AcceptedFix;
  receivedAt: Date;
}): HistoryDocument {
  const { recordedAtMs, ...reading } = fix;
  return {
    ts: new Date(recordedAtMs),
    // A fresh object a document: the driver adds nothing to it, but sharing one would tie documents together.
    meta: {
      driverId: group.driverId,
      ...(group.tripId !== undefined && { tripId: group.tripId }),
      ...(alertId !== undefined && { alertId }),
    },
    run: group.run,
    ...reading,
    receivedAt,
  };
}
