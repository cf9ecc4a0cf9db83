import type { SosEvent } from '@hushryd/contracts/events/sos-event';
import type { AlertState, AlertSummary } from '@hushryd/contracts/http/sos';

/** An alert as the desk knows it: as it was read, or, until that has succeeded, as an event told of it. */
export interface DeskAlert extends AlertSummary {
  /** The database has not confirmed it yet. */
  isProvisional?: true;
}

/** What a colleague has to do first. `unclaimed`: nobody works on it, or it was pressed again, or cancelled under duress, since. */
export type Urgency = 'unclaimed' | 'claimed' | 'acknowledged';

const openStates: readonly AlertState[] = ['open', 'acknowledged'];

export const isOpen = ({ state }: Pick<AlertSummary, 'state'>): boolean => openStates.includes(state);

/** It was pressed again after somebody had claimed it. */
export const isPressedSinceClaim = ({ claimedAt, lastPressedAt }: AlertSummary): boolean =>
  claimedAt !== undefined && Date.parse(lastPressedAt) > Date.parse(claimedAt);

/** Its person was made to cancel it after somebody had claimed it: that may have been for something else. */
const isDuressSinceClaim = ({ claimedAt, duressAt }: AlertSummary): boolean =>
  claimedAt !== undefined && duressAt !== undefined && Date.parse(duressAt) > Date.parse(claimedAt);

export function urgencyOf(alert: AlertSummary): Urgency {
  if (alert.state !== 'open') return 'acknowledged';
  const isClaimed = alert.claimedBy !== undefined && !isPressedSinceClaim(alert) && !isDuressSinceClaim(alert);
  return isClaimed ? 'claimed' : 'unclaimed';
}

const ranks: Record<Urgency, number> = { unclaimed: 0, claimed: 1, acknowledged: 2 };

/**
 * Order of the queue: those that nobody works on, then those that nobody has acknowledged; under duress first, then who waits longest.
 * An alert moves only when something happened to it. Pure.
 */
export function compareUrgency(one: AlertSummary, other: AlertSummary): number {
  return (
    ranks[urgencyOf(one)] - ranks[urgencyOf(other)] ||
    Number(other.isDuress ?? false) - Number(one.isDuress ?? false) ||
    Date.parse(one.acceptedAt) - Date.parse(other.acceptedAt) ||
    (one.alertId < other.alertId ? -1 : 1)
  );
}

/**
 * What an event makes of an alert. It says less than a reading does, so one has to follow; until then the queue is right in what matters
 * most: that there is an alert, whose, where, and who of the staff has it. Pure.
 *
 * @param known undefined for one that was not heard of before
 * @returns undefined where the event says nothing new, or too little
 */
export function applyEvent(known: DeskAlert | undefined, event: SosEvent): DeskAlert | undefined {
  if (known !== undefined && event.version <= known.version) return undefined;
  const before = known ?? beginning(event);
  if (before === undefined) return undefined;
  const kept = reopening.has(event.name) ? withoutAcknowledgement(before) : before;
  return { ...kept, state: event.state, version: event.version, ...changeOf(before, event) };
}

/** After these nobody takes care of it any more, whoever had acknowledged it. */
const reopening: ReadonlySet<SosEvent['name']> = new Set(['sos.pressed_again', 'sos.duress']);

function withoutAcknowledgement({ acknowledgedBy: _by, acknowledgedAt: _at, ...others }: DeskAlert): DeskAlert {
  return others;
}

function beginning(event: SosEvent): DeskAlert | undefined {
  const { alertId, version, state, userId, role, tripId, mapUrl, at, isProvisional } = event;
  if (userId === undefined || role === undefined) return undefined;
  const { lat, lng, accuracyMeters, locatedAt } = event;
  const isPlaced = lat !== undefined && lng !== undefined && locatedAt !== undefined;
  return {
    alertId,
    version,
    state,
    userId,
    role,
    triggeredAt: at,
    acceptedAt: at,
    lastPressedAt: at,
    pressCount: 1,
    ...(tripId !== undefined && { tripId }),
    ...(mapUrl !== undefined && { mapUrl }),
    ...(isPlaced && {
      location: { lat, lng, recordedAt: locatedAt, ...(accuracyMeters !== undefined && { accuracyMeters }) },
    }),
    ...(isProvisional && { isProvisional }),
  };
}

function changeOf(before: DeskAlert, { name, at, byUserId }: SosEvent): Partial<DeskAlert> {
  const by = (field: 'claimedBy' | 'acknowledgedBy' | 'closedBy') =>
    byUserId === undefined ? {} : { [field]: byUserId };
  switch (name) {
    case 'sos.claimed':
      return { ...by('claimedBy'), claimedAt: at };
    case 'sos.acknowledged':
      return { ...by('acknowledgedBy'), acknowledgedAt: at, escalatesAt: null };
    case 'sos.pressed_again':
      return { lastPressedAt: at, pressCount: before.pressCount + 1 };
    case 'sos.duress':
      return { isDuress: true, duressAt: at };
    case 'sos.resolved':
    case 'sos.false_alarm':
    case 'sos.cancelled':
      return { ...by('closedBy'), closedAt: at, escalatesAt: null };
    default:
      return {};
  }
}
