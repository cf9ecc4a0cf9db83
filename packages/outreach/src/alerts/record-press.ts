import type { SosTrigger } from '@hushryd/contracts/http/sos';
import type { Identity } from '@hushryd/platform/auth/claims';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { OutreachList } from '../people/contacts/outreach-lists.ts';
import { ownerOf } from './drill-person.ts';
import { sealFactText } from './fact-text.ts';
import type { NoteSealer } from './note-sealer.ts';
import { planOutbox } from './plan-outbox.ts';
import type { TriggerRecord } from './trigger-record.ts';

/** Whom a person wants told; undefined where nobody can say in time. */
export type ReadOutreachList = (
  userId: string,
  options: { withinMs: number },
) => Promise<Pick<OutreachList, 'contacts' | 'version'> | undefined>;

export interface Press {
  identity: Pick<Identity, 'userId' | 'role'>;
  trigger: SosTrigger;
  isTokenExpired: boolean;
  /** Nobody is in danger; the identity is that of drill-person.ts. */
  isDrill?: true;
  via: TriggerRecord['via'];
  /** Of the request that brought it. */
  correlationId?: string;
}

/**
 * Make of a press all that its alert needs: whom it tells, and the note sealed. Contacts that do not come in time are read later.
 *
 * Never throws for the contacts. Cost: one read of them, at most `withinMs` milliseconds.
 */
export function createRecordPress({
  readOutreachList,
  sealer,
  region,
  withinMs,
  now,
  log,
}: {
  readOutreachList: ReadOutreachList;
  sealer: Pick<NoteSealer, 'seal'>;
  region: string;
  withinMs: number;
  now: () => number;
  log: Logger;
}): (press: Press) => Promise<TriggerRecord> {
  async function readList(userId: string): ReturnType<ReadOutreachList> {
    try {
      return await readOutreachList(userId, { withinMs });
    } catch (err) {
      log.warn({ err }, 'contacts not read in time, they are told later');
      return undefined;
    }
  }

  return async ({ identity, trigger, isTokenExpired, isDrill, via, correlationId }) => {
    const acceptedAt = new Date(now()).toISOString();
    const list = await readList(ownerOf(identity.userId));
    const { note, ...rest } = trigger;
    return {
      triggerId: trigger.alertId,
      userId: identity.userId,
      role: identity.role,
      region,
      acceptedAt,
      via,
      isTokenExpired,
      ...(correlationId !== undefined && { correlationId }),
      ...(isDrill && { isDrill }),
      trigger: rest,
      ...(note !== undefined && { note: sealFactText(sealer, note, { personId: identity.userId }) }),
      outbox: planOutbox(list, { isDrill }),
      contacts: list?.contacts ?? [],
      ...(list !== undefined && { contactsVersion: list.version }),
    };
  };
}
