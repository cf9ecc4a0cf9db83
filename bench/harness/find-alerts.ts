import { type AlertDocument, alertsCollection } from '@hushryd/outreach/alerts/alert-document';
import { deadline } from '@hushryd/platform/mongo/deadline';
import type { Db } from 'mongodb';
import { sleepMs } from './sleep.ts';

export interface StoredAlerts {
  /** Acknowledged, and not to be found. */
  readonly missing: number;
  /** Written before anybody could say whom to tell: the contacts come later. */
  readonly withoutContacts: number;
}

/** SecantusDB compares each document with every id of the list: with 500 it would be busy looking, not working. */
const idsAtOnce = 50;
const lookEveryMs = 250;
const readWithinMs = 20_000;

/**
 * What a majority of the database holds of these alerts. What a journal brings later is waited for.
 *
 * @param input.withinMs how long
 */
export async function findAlerts(
  db: Db,
  { alertIds, withinMs }: { alertIds: readonly string[]; withinMs: number },
): Promise<StoredAlerts> {
  for (const untilMs = performance.now() + withinMs; ; await sleepMs(lookEveryMs)) {
    const found = await readAlerts(db, alertIds);
    const missing = new Set(alertIds).size - found.length;
    if (missing > 0 && performance.now() < untilMs) continue;
    return { missing, withoutContacts: found.filter(({ contactsVersion }) => contactsVersion === null).length };
  }
}

type Read = Pick<AlertDocument, '_id' | 'contactsVersion'>;

async function readAlerts(db: Db, alertIds: readonly string[]): Promise<Read[]> {
  const alerts = db.collection<AlertDocument>(alertsCollection.name, { readConcern: { level: 'majority' } });
  const found: Read[] = [];
  for (let at = 0; at < alertIds.length; at += idsAtOnce) {
    const ids = alertIds.slice(at, at + idsAtOnce);
    const options = { projection: { contactsVersion: 1 }, ...deadline(readWithinMs) };
    found.push(...(await alerts.find<Read>({ _id: { $in: ids } }, options).toArray()));
  }
  return found;
}
