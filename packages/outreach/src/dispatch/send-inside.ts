import type { ContactSos } from '@hushryd/contracts/events/sos-event';
import { userTopic } from '@hushryd/contracts/realtime/topics';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { PublishEvent } from '@hushryd/platform/topics/publish-event';
import type { OutboxEntry } from '../alerts/alert-document.ts';
import type { AnnounceAlert } from '../alerts/announce-alert.ts';
import { ownerOf } from '../alerts/drill-person.ts';
import { planOutbox } from '../alerts/plan-outbox.ts';
import type { OutreachLists } from '../people/contacts/outreach-lists.ts';
import type { AlertView } from './alert-view.ts';
import type { FindRecipients } from './find-recipients.ts';
import type { EntryOutcome, HeldEntry } from './keep-entry.ts';
import type { ClaimContext } from './send-entry.ts';
import { type MessageSettings, toTrailUrl } from './to-alert-message.ts';

/** Entries that need no company: operators, contacts who have the app, contacts who are not read yet. */
export interface SendInside {
  tellOperators(context: Pick<ClaimContext, 'alert'>, held: HeldEntry): Promise<void>;
  tellApp(context: ClaimContext, held: HeldEntry): Promise<void>;
  /** @returns whether there is more to send now */
  expand(context: Pick<ClaimContext, 'alert'>, held: HeldEntry): Promise<boolean>;
}

const againMs = 1_000;
const publishWithinMs = 150;
const expandWithinMs = 1_500;
const done: EntryOutcome = { state: 'ACCEPTED', dueInMs: null };
const later: EntryOutcome = { state: 'PENDING', dueInMs: againMs };

export function createSendInside({
  announce,
  publishEvent,
  lists,
  findRecipients,
  messages,
}: {
  announce: AnnounceAlert;
  publishEvent: PublishEvent;
  lists: Pick<OutreachLists, 'readOutreachList'>;
  findRecipients: FindRecipients;
  messages: MessageSettings;
}): SendInside {
  return {
    async tellOperators({ alert }, { keep }) {
      const isTold = await announce({ alert, name: 'sos.raised', atMs: alert.receivedAt.getTime() });
      await keep(isTold ? done : later);
    },

    async tellApp({ alert, contacts }, { known: entry, keep }) {
      const recipients = await findRecipients(alert, entry, contacts);
      const targets = 'targets' in recipients ? recipients.targets : [];
      if (targets.length === 0) return void (await keep({ state: 'FAILED', dueInMs: null, reason: 'no-address' }));
      const url = entry.purpose === 'resolve' || alert.isDrill ? undefined : toTrailUrl(alert, entry, messages);
      const event: ContactSos = {
        name: nameOf(alert, entry),
        alertId: alert._id,
        userId: ownerOf(alert.person.userId),
        at: (alert.closedAt ?? alert.receivedAt).toISOString(),
        ...(url !== undefined && { url }),
      };
      const published = Promise.all(targets.map(({ to }) => publishEvent(userTopic(to), event)));
      const isTold = await raceTimer(
        published.then(() => true).catch(() => false),
        publishWithinMs,
        () => false,
      );
      await keep(isTold ? done : later);
    },

    async expand({ alert }, { keep }) {
      const read = await lists.readOutreachList(ownerOf(alert.person.userId), { withinMs: expandWithinMs });
      if (!('found' in read)) {
        await keep(later);
        return false;
      }
      const { contacts, version } = read.found;
      const entries = planOutbox({ contacts }).filter(({ recipient }) => recipient.kind === 'contact');
      await keep({ state: 'DELIVERED', dueInMs: null, expanded: { contacts, version, entries } });
      return entries.length > 0;
    },
  };
}

function nameOf(
  { isDrill }: Pick<AlertView, 'isDrill'>,
  { purpose }: Pick<OutboxEntry, 'purpose'>,
): ContactSos['name'] {
  if (isDrill) return 'contact.sos_drill';
  return purpose === 'resolve' ? 'contact.sos_over' : 'contact.sos';
}
