import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { AlertDocument, OutboxEntry } from '../alerts/alert-document.ts';
import type { AnnounceAlert } from '../alerts/announce-alert.ts';
import type { CrashAlert } from '../alerts/crash-points.ts';
import { ownerOf } from '../alerts/drill-person.ts';
import type { ReadOwnPhone } from '../people/safety/read-own-phone.ts';
import type { CurrentContacts } from './current-contacts.ts';
import type { DispatchMetrics } from './dispatch-metrics.ts';
import type { DispatchSettings } from './dispatch-settings.ts';
import type { Claimed, DispatchStore } from './dispatch-store.ts';
import type { GatherOutcomes } from './gather-outcomes.ts';
import { countLeft, type EntryOutcome, type HeldEntry, holdEntry } from './keep-entry.ts';
import type { ClaimContext, SendEntry } from './send-entry.ts';
import type { SendInside } from './send-inside.ts';

/**
 * Does what is due of an alert. Safe to call at any time, from anywhere, twice.
 *
 * @param options.areOperatorsTold whoever accepted the alert has told them
 * @throws AppError `database_unavailable` where it could not be claimed; the sweeper comes again
 */
export type DispatchAlert = (alertId: string, options?: { areOperatorsTold?: boolean }) => Promise<void>;

export interface DispatchAlertParts {
  store: Pick<DispatchStore, 'claim'>;
  gather: Pick<GatherOutcomes, 'add'>;
  announce: AnnounceAlert;
  /**
   * Asked before anybody on call is called: a node that does not reach the database may have heard who takes care.
   *
   * @returns whether it is acknowledged by that
   */
  hearAck?: (alert: AlertDocument) => Promise<boolean>;
  currentContacts: CurrentContacts;
  readOwnPhone: ReadOwnPhone;
  sendEntry: SendEntry;
  sendInside: SendInside;
  settings: Pick<DispatchSettings, 'leaseMs'>;
  crashAt: CrashAlert;
  metrics: Pick<DispatchMetrics, 'firstAttempt' | 'escalated' | 'ended'>;
  log: Logger;
}

/** A mistake of ours must not spin. */
const afterMistakeMs = 5_000;
/** What cannot be decrypted here may be readable for another process, which has the key already: so many may try. */
const maxUnreadableClaims = 5;
/** Entries that expanding adds are due at once. */
const maxRounds = 3;

/**
 * Claims what is due and sends all of it at once: operators first, since that is one script call. Two majority writes where every first
 * provider takes what it is given.
 */
export function createDispatchAlert(parts: DispatchAlertParts): DispatchAlert {
  const { store, gather, announce, sendEntry, sendInside, settings, crashAt, metrics, log } = parts;
  const { hearAck = async () => false } = parts;
  /** Whose claim is asked for at this moment. */
  const claiming = new Set<string>();

  async function claim(alertId: string): Promise<{ claimed: Claimed; leaseEndsAt: number } | undefined> {
    if (claiming.has(alertId)) return undefined;
    claiming.add(alertId);
    try {
      const askedAt = performance.now();
      const claimed = await store.claim(alertId);
      return claimed && { claimed, leaseEndsAt: askedAt + settings.leaseMs };
    } finally {
      claiming.delete(alertId);
    }
  }

  async function toContext({ alert, entries }: Claimed): Promise<ClaimContext> {
    const isForContact = entries.some(({ recipient }) => recipient.kind === 'contact');
    const [contacts, own] = isForContact
      ? await Promise.all([
          parts.currentContacts(alert),
          parts.readOwnPhone(ownerOf(alert.person.userId)).catch(() => undefined),
        ])
      : [alert.contacts, undefined];
    let hasAttempted = alert.outbox.some(({ attempts }) => attempts > 0) || alert.escalation.level > 0;
    return {
      alert,
      contacts,
      ownPhone: own?.phone,
      onFirstAttempt() {
        if (hasAttempted) return;
        hasAttempted = true;
        metrics.firstAttempt((Date.now() - alert.receivedAt.getTime()) / 1_000);
      },
    };
  }

  /** @returns whether there is more to send now */
  async function send(claimed: Claimed, leaseEndsAt: number, areOperatorsTold: boolean): Promise<boolean> {
    const { alert, entries } = claimed;
    const { _id: alertId, correlationId } = alert;
    log.info({ alertId, correlationId, count: entries.length, level: alert.escalation.level }, 'an alert is sent');
    const left = countLeft(entries);
    const context = toContext(claimed);
    let hasMore = false;

    async function work(entry: OutboxEntry, held: HeldEntry): Promise<void> {
      if (entry.channel === 'desk' && areOperatorsTold) await held.keep({ state: 'ACCEPTED', dueInMs: null });
      else if (entry.channel === 'desk') await sendInside.tellOperators({ alert }, held);
      else if (entry.channel === 'none') hasMore = (await sendInside.expand({ alert }, held)) || hasMore;
      else if (entry.channel === 'app') await sendInside.tellApp(await context, held);
      else await sendEntry(await context, held);
    }

    await Promise.all(
      entries.map(async (entry) => {
        const held = holdEntry({ alert, entry, leaseEndsAt, left, gather, settings, metrics });
        try {
          await work(entry, held);
        } catch (err) {
          log.error({ err, alertId, correlationId, entryId: entry.entryId }, 'an entry of an alert could not be sent');
          const isLost = isUnreadable(err) && entry.fence >= maxUnreadableClaims;
          await held.keep(isLost ? unreadable : { state: 'PENDING', dueInMs: afterMistakeMs }).catch(() => undefined);
        }
      }),
    );
    return hasMore;
  }

  /** @returns what is to be sent of it: where somebody takes care, nobody on call is called */
  async function escalate(claimed: Claimed): Promise<Claimed> {
    const { alert, entries } = claimed;
    const isAcknowledged = await hearAck(alert).catch((err: unknown) => {
      log.warn({ err, alertId: alert._id }, 'whether somebody takes care could not be asked');
      return false;
    });
    if (isAcknowledged) return { ...claimed, entries: entries.filter(({ recipient }) => recipient.kind !== 'on_call') };
    metrics.escalated();
    void announce({ alert, name: 'sos.escalated', atMs: alert.changedAt.getTime() });
    return claimed;
  }

  return async (alertId, { areOperatorsTold = false } = {}) => {
    for (let round = 1; round <= maxRounds; round += 1) {
      const taken = await claim(alertId);
      if (taken === undefined) return;
      const { claimed, leaseEndsAt } = taken;
      crashAt('after_claim');
      const due = claimed.hasEscalated ? await escalate(claimed) : claimed;
      if (!(await send(due, leaseEndsAt, areOperatorsTold))) return;
    }
  };
}

const unreadable: EntryOutcome = { state: 'FAILED', dueInMs: null, reason: 'unreadable' };

/** Where to send it was sealed by a key that is gone, or was changed. */
const isUnreadable = (error: unknown): boolean => error instanceof AppError && error.code === 'internal';
