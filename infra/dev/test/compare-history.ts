import type { MongoClient } from 'mongodb';
import { nameOf } from './heard.ts';
import type { Journey } from './traffic.ts';

/** What is wrong between what phones were told and what MongoDB has; all empty is right. */
export interface Findings {
  /** A phone heard `durable` and forgot it, and it is not stored. */
  lost: string[];
  /** Stored, and nobody sent it, or it was dropped with an answer. */
  phantom: string[];
  /** Stored with another place or time. */
  altered: string[];
}

/** The checker: every fix that was acknowledged is in `location_history`, and nothing else is. Duplicates count once. */
export async function compareHistory(
  { client, database }: { client: MongoClient; database: string },
  journeys: readonly Journey[],
): Promise<Findings> {
  const findings: Findings = { lost: [], phantom: [], altered: [] };
  for (const { driverId, fixes } of journeys) {
    const documents = await client
      .db(database)
      .collection('location_history')
      .find({ 'meta.driverId': driverId }, { readConcern: { level: 'majority' } })
      .toArray();
    const stored = new Map(documents.map((fix) => [nameOf({ run: fix.run, seq: fix.seq }), fix]));
    for (const [name, fix] of fixes) {
      const found = stored.get(name);
      stored.delete(name);
      if (found === undefined) {
        if (fix.outcome === 'ok') findings.lost.push(`${driverId} ${name}`);
        continue;
      }
      if (fix.outcome === 'fail') findings.phantom.push(`${driverId} ${name}`);
      const isSame =
        Math.abs(found.lat - fix.lat) <= 1e-6 &&
        Math.abs(found.lng - fix.lng) <= 1e-6 &&
        found.ts.getTime() === fix.recordedAtMs;
      if (!isSame) findings.altered.push(`${driverId} ${name}`);
    }
    findings.phantom.push(...[...stored.keys()].map((name) => `${driverId} ${name}`));
  }
  return findings;
}
