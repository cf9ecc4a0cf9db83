import type { Revocation, RevocationReason } from '@hushryd/contracts/http/sessions';
import { EXPIRED_TOKEN_GRACE_MS, MAX_TOKEN_LIFE_MS } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { deadline, isDuplicateKey, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db, Document, Filter } from 'mongodb';

export const revocationsCollection: CollectionDeclaration = {
  name: 'revocations',
  indexes: [
    { key: { expiresAt: 1 }, name: 'expiry', expireAfterSeconds: 0 },
    // What the worker republishes.
    { key: { changedAt: 1, _id: 1 }, name: 'changed' },
  ],
};

/** Tokens of one user that are refused, as the collection `revocations` holds it. */
export interface RevocationDocument {
  _id: string;
  issuedBefore: Date;
  tokenIds: string[];
  /** Absent in what was written before sessions had ids. */
  sessionIds?: string[];
  reason: RevocationReason;
  version: number;
  changedAt: Date;
  expiresAt: Date;
}

/** Whose session a token is of. */
export interface SessionOfToken {
  userId: string;
  tokenId: string;
  sessionId?: string;
}

export interface RevocationStore {
  /**
   * One session with all of its tokens, or the one token where it names no session. A 51st, with less than a day between each and the next,
   * ends all of the user's tokens, and sessions that were not signed out fetch new ones.
   */
  revokeSession(revoked: SessionOfToken & { nowMs: number }): Promise<Revocation>;
  /** Every token issued to the user until now. */
  revokeAll(revoked: { userId: string; reason: RevocationReason; nowMs: number }): Promise<Revocation>;
  /** All that are in force, or changed since. */
  inForce(query: { nowMs: number; changedSinceMs?: number }): Promise<Revocation[]>;
}

/** Of sessions, and of tokens that name none. */
const maxNamed = 50;
const maxAttempts = 5;
/** Clocks differ by half a minute at most, and tokens are believed for as long after their end. */
const marginMs = 60_000;
/** What was revoked longer ago has run out. */
export const revokedHaveRunOutMs = MAX_TOKEN_LIFE_MS + marginMs;
/** And after this it does not even do for a call of help. */
const keepMs = revokedHaveRunOutMs + EXPIRED_TOKEN_GRACE_MS;
const maxInForce = 200_000;

/**
 * Revoked tokens in MongoDB, until even a call for help would no longer take them. Writes are acknowledged by a majority and journalled.
 *
 * @param deadlineMs for each operation
 * @throws AppError `database_unavailable` from every function; the outcome is unknown then, and the same may be asked again
 */
export function createRevocationStore({ db, deadlineMs = 5_000 }: { db: Db; deadlineMs?: number }): RevocationStore {
  const revocations = db.collection<RevocationDocument>('revocations', { readConcern: { level: 'majority' } });

  async function change(userId: string, nowMs: number, fields: Document): Promise<Revocation> {
    const set = {
      ...fields,
      // By the clock: a record that was forgotten and made anew goes on above what nodes remember of it.
      version: { $max: [{ $add: [{ $ifNull: ['$version', 0] }, 1] }, nowMs] },
      changedAt: new Date(nowMs),
      expiresAt: new Date(nowMs + keepMs),
    };
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      try {
        const changed = await revocations.findOneAndUpdate({ _id: userId }, [{ $set: set }], {
          upsert: true,
          returnDocument: 'after',
          writeConcern: { w: 'majority', journal: true },
          ...deadline(deadlineMs),
        });
        if (changed !== null) return toRevocation(changed);
      } catch (error) {
        // Two first revocations of one user: the slower one is an update the next time.
        if (!isDuplicateKey(error)) throw toMongoError(error);
      }
    }
    throw new AppError('database_unavailable', { detail: 'others revoked faster than it could be written' });
  }

  return {
    revokeSession: ({ userId, tokenId, sessionId, nowMs }) =>
      change(userId, nowMs, {
        ...nameNone,
        ...(sessionId === undefined
          ? nameIn('tokenIds', tokenId, new Date(nowMs))
          : nameIn('sessionIds', sessionId, new Date(nowMs))),
      }),
    // Sessions stay named: what their issuer may still give them is of after this.
    revokeAll: ({ userId, reason, nowMs }) =>
      change(userId, nowMs, { reason, tokenIds: [], issuedBefore: { $max: ['$issuedBefore', new Date(nowMs)] } }),
    async inForce({ nowMs, changedSinceMs }) {
      const filter: Filter<RevocationDocument> = {
        expiresAt: { $gt: new Date(nowMs) },
        ...(changedSinceMs !== undefined && { changedAt: { $gte: new Date(changedSinceMs) } }),
      };
      try {
        const found = await revocations
          .find(filter, { sort: { changedAt: -1 }, limit: maxInForce, ...deadline(deadlineMs) })
          .toArray();
        return found.map(toRevocation);
      } catch (error) {
        throw toMongoError(error);
      }
    },
  };
}

const nameNone = { tokenIds: { $ifNull: ['$tokenIds', []] } };

/**
 * One more in a list, once. Where the list is full, all tokens issued until now fall under the record instead of some being valid again;
 * those of other sessions are replaced by new ones without a sign-in, as after a change of role.
 */
function nameIn(list: 'tokenIds' | 'sessionIds', id: string, now: Date): Document {
  // An id is no expression, whatever it begins with.
  const name = { $literal: id };
  const named = { $ifNull: [`$${list}`, []] };
  const isNamed = { $in: [name, named] };
  const isFull = { $and: [{ $not: [isNamed] }, { $gte: [{ $size: named }, maxNamed] }] };
  const added = { $cond: [isNamed, named, { $concatArrays: [named, [name]] }] };
  return {
    [list]: { $cond: [isFull, [name], added] },
    issuedBefore: { $cond: [isFull, { $max: ['$issuedBefore', now] }, { $ifNull: ['$issuedBefore', new Date(0)] }] },
    reason: { $cond: [isFull, 'role_changed', { $ifNull: ['$reason', 'signed_out'] }] },
  };
}

const toRevocation = (document: RevocationDocument): Revocation => ({
  userId: document._id,
  version: document.version,
  issuedBeforeMs: document.issuedBefore.getTime(),
  tokenIds: document.tokenIds ?? [],
  ...(document.sessionIds !== undefined && { sessionIds: document.sessionIds }),
  reason: document.reason,
  expiresAtMs: document.expiresAt.getTime(),
});
