import type { Alert, AlertSummary } from '@hushryd/contracts/http/sos';
import { mongoOutcome } from '@hushryd/platform/mongo/deadline';
import { countFacts, type PlacedFact, readNewestFacts } from '../timeline/read-timeline.ts';
import { showFact } from '../timeline/show-fact.ts';
import type { TimelineStore } from '../timeline/timeline-store.ts';
import type { AlertDocument, OutboxEntry } from './alert-document.ts';
import type { AlertReader } from './alert-rules.ts';
import { toMapUrl } from './announce-alert.ts';
import { ownerOf } from './drill-person.ts';
import { showFactText } from './fact-text.ts';
import type { NoteSealer } from './note-sealer.ts';

export interface ShowParts {
  sealer: Pick<NoteSealer, 'open'>;
  /** Address of a map with `{lat}` and `{lng}` in it. */
  mapUrl: string;
  timeline: TimelineStore;
}

/** A phone that could not reach anybody for longer than this was late. */
const lateAfterMs = 60_000;
/** Facts that come with an alert; the others are a page away. */
const shownFacts = 100;

/** An alert in the list of the staff. */
export function toSummary(alert: AlertDocument, { sealer, mapUrl }: Omit<ShowParts, 'timeline'>): AlertSummary {
  const { trigger, escalation } = alert;
  return {
    ...shared(alert),
    ...(alert.isTokenExpired && { isTokenExpired: true }),
    ...(trigger.location !== undefined && { mapUrl: toMapUrl(mapUrl, trigger.location) }),
    escalationLevel: escalation.level,
    escalatesAt: escalation.nextAt?.toISOString() ?? null,
    ...(alert.claimedBy !== undefined && { claimedBy: alert.claimedBy }),
    ...(alert.claimedAt !== undefined && { claimedAt: alert.claimedAt.toISOString() }),
    ...(alert.acknowledgedBy !== undefined && { acknowledgedBy: alert.acknowledgedBy }),
    ...(alert.closedBy !== undefined && { closedBy: alert.closedBy }),
    ...(alert.closeReason !== undefined && {
      closeReason: showFactText(sealer, alert.closeReason, { personId: alert.person.userId }),
    }),
    ...(alert.duressAt !== undefined && { isDuress: true, duressAt: alert.duressAt.toISOString() }),
  };
}

/**
 * The alert as such a reader may see it: staff everything, the person who raised it and contacts what concerns the person. After a cancel
 * under duress the person's devices show it as cancelled, and nobody else's. Who may see it at all: `readerOf`.
 *
 * Cost: for staff one read of the timeline, once facts have been sealed.
 */
export async function showAlert(reader: AlertReader, alert: AlertDocument, parts: ShowParts): Promise<Alert> {
  if (reader === 'staff') return toStaffView(alert, parts);
  const { duressAt } = alert;
  // Whoever tries it out wants to see whom it reached.
  if (alert.isDrill) return { ...shared(alert), outbox: alert.outbox.map(toOutboxEntry) };
  const isSeeminglyCancelled = duressAt !== undefined;
  if (reader === 'contact' || (alert.state !== 'cancelled' && !isSeeminglyCancelled)) return shared(alert);
  // That somebody had acknowledged is shown of neither, since under duress it is forgotten: both look alike.
  const { acknowledgedAt: _, ...rest } = shared(alert);
  return isSeeminglyCancelled ? { ...rest, state: 'cancelled', closedAt: duressAt.toISOString() } : rest;
}

async function toStaffView(alert: AlertDocument, parts: ShowParts): Promise<Alert> {
  const { trigger, note } = alert;
  const context = { personId: alert.person.userId };
  const facts = await readShownFacts(alert, parts.timeline);
  return {
    ...toSummary(alert, parts),
    ...(trigger.device !== undefined && { device: trigger.device }),
    ...(note !== undefined && { note: showFactText(parts.sealer, note, context) }),
    outbox: alert.outbox.map(toOutboxEntry),
    facts: facts.map((fact) => showFact(fact, parts.sealer, context)),
    factCount: countFacts(alert),
  };
}

/** What the document holds is worth showing by itself; its numbers say that there is more. */
async function readShownFacts(alert: AlertDocument, timeline: TimelineStore): Promise<PlacedFact[]> {
  try {
    return await readNewestFacts(timeline, alert, shownFacts);
  } catch (error) {
    if (mongoOutcome(error) === 'answered') throw error;
    return readNewestFacts({ read: async () => [] }, alert, shownFacts);
  }
}

function shared(alert: AlertDocument): AlertSummary {
  const { trigger, acknowledgedAt, closedAt } = alert;
  return {
    alertId: alert._id,
    state: alert.state,
    version: alert.version,
    userId: ownerOf(alert.person.userId),
    ...(alert.isDrill && { isDrill: alert.isDrill }),
    role: alert.person.role,
    ...(trigger.tripId !== undefined && { tripId: trigger.tripId }),
    triggeredAt: trigger.triggeredAt,
    acceptedAt: alert.acceptedAt.toISOString(),
    ...(alert.acceptedAt.getTime() - Date.parse(trigger.triggeredAt) > lateAfterMs && { isLate: true }),
    ...(trigger.location !== undefined && { location: trigger.location }),
    ...(trigger.batteryPercent !== undefined && { batteryPercent: trigger.batteryPercent }),
    pressCount: alert.pressCount,
    lastPressedAt: alert.lastPressedAt.toISOString(),
    ...(acknowledgedAt !== undefined && { acknowledgedAt: acknowledgedAt.toISOString() }),
    ...(closedAt !== undefined && { closedAt: closedAt.toISOString() }),
  };
}

function toOutboxEntry({ entryId, recipient, channel, purpose, state, attempts }: OutboxEntry) {
  return {
    entryId,
    recipient: recipient.kind,
    ...(recipient.kind === 'contact' && { recipientId: recipient.contactId }),
    channel,
    ...(purpose !== undefined && { purpose }),
    state,
    attempts,
  };
}
