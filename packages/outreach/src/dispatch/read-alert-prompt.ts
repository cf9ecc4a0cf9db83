import { ownerOf } from '../alerts/drill-person.ts';
import type { ReadVoicePrompt } from '../notifications/read-voice-prompt.ts';
import { toVoice } from '../notifications/to-message.ts';
import { entryCode, readAlertAttemptId } from './attempt-id.ts';
import type { DispatchStore } from './dispatch-store.ts';
import { type MessageSettings, toWords } from './to-alert-message.ts';

/** Who is called, and in which language, only the alert says. */
const unknownAlert =
  'HushRyd. This is an emergency alert. If you are on call, press 1 to acknowledge it. If you are an emergency contact, somebody who named you needs help: please look at your messages.';

/** Asked last: no node is silent in a call about an alert that only another one knows, as while the database is away. */
export const readUnknownAlertPrompt: ReadVoicePrompt = async (attemptId) =>
  readAlertAttemptId(attemptId) === undefined ? undefined : { sayText: unknownAlert, maxDigits: 1 };

/**
 * What a call about an alert is to say, for companies that ask while it lasts.
 *
 * @throws AppError `database_unavailable`
 */
export function createReadAlertPrompt({
  store,
  readOwnPhone,
  messages,
}: {
  store: Pick<DispatchStore, 'find' | 'findAttempt'>;
  readOwnPhone: (userId: string) => Promise<{ phone: string } | undefined>;
  messages: MessageSettings;
}): ReadVoicePrompt {
  return async (attemptId) => {
    const read = readAlertAttemptId(attemptId);
    const alert = read === undefined ? null : await store.find(read.alertId);
    if (read === undefined || alert === null) return undefined;
    // Who was on call has left the outbox when the alert is acknowledged while it rings.
    const entry =
      alert.outbox.find(({ entryId }) => entryCode(entryId) === read.code) ?? (await store.findAttempt(attemptId));
    if (entry === null || entry.channel !== 'voice') return undefined;
    const contact =
      entry.recipient.kind === 'contact'
        ? alert.contacts.find(
            ({ contactId }) => 'contactId' in entry.recipient && contactId === entry.recipient.contactId,
          )
        : undefined;
    const own = await readOwnPhone(ownerOf(alert.person.userId)).catch(() => undefined);
    const target = { to: '', locale: contact?.locale ?? 'en' };
    const { sayText } = toVoice(toWords(alert, entry, target, { ...messages, ownPhone: own?.phone }));
    return { sayText, maxDigits: 1 };
  };
}
