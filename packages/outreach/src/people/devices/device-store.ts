import { maxDevices, type Platform, type PutDeviceBody } from '@hushryd/contracts/http/devices';
import type { BlindIndex } from '@hushryd/platform/crypto/blind-index';
import type { FieldCipher, FieldPlace, SealedText } from '@hushryd/platform/crypto/field-cipher';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { deadline, isDuplicateKey, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db } from 'mongodb';

export const devicesCollection: CollectionDeclaration = {
  name: 'devices',
  indexes: [
    { key: { userId: 1, seenAt: -1 }, name: 'of_person' },
    { key: { tokenHash: 1 }, name: 'one_token_one_device', unique: true },
  ],
};

/** An installation of the app, as the collection `devices` holds it. */
export interface DeviceDocument {
  /** `<user>.<device>`: an id that another user's app made is another device. */
  _id: string;
  userId: string;
  deviceId: string;
  platform: Platform;
  locale?: string;
  token: SealedText;
  /** Blind index of the token. */
  tokenHash: string;
  /** Rises with every registration and re-encryption. */
  version: number;
  seenAt: Date;
}

/** Where a push goes. */
export interface PushTarget {
  deviceId: string;
  platform: Platform;
  locale?: string;
  token: string;
  tokenHash: string;
}

/** `unreadable`: of whose tokens the key is gone, or that were changed. */
export interface PushTargets {
  readable: PushTarget[];
  unreadable: (Pick<PushTarget, 'deviceId'> & { error: unknown })[];
}

export interface DeviceStore {
  /** Whoever had the token before has it no more; beyond ten devices the one unheard of for the longest is forgotten. */
  put(owner: { userId: string; deviceId: string }, device: PutDeviceBody): Promise<DeviceDocument>;
  /** A device that is not there is as gone as it should be. */
  remove(owner: { userId: string; deviceId: string }): Promise<void>;
  /** A person's devices, the one heard of last first. One that cannot be decrypted takes nothing from the others. */
  pushTargets(userId: string): Promise<PushTargets>;
  /**
   * The push service says that a token is dead.
   * @param sentAt when the message was sent that it refused: an app that has registered since stays
   * @returns whether it was there
   */
  removeDeadToken(dead: { tokenHash: string; sentAt: Date }): Promise<boolean>;
}

const maxAttempts = 5;

/**
 * Devices with their push tokens, encrypted; one token belongs to one device of one person. Writes are acknowledged by a majority.
 *
 * @throws AppError `database_unavailable` from every function; each may be asked again
 * Cost of a registration: two majority writes, one read.
 */
export function createDeviceStore({
  db,
  cipher,
  blindIndex,
  deadlineMs = 2_500,
  now = Date.now,
}: {
  db: Db;
  cipher: FieldCipher;
  blindIndex: BlindIndex;
  deadlineMs?: number;
  now?: () => number;
}): DeviceStore {
  const devices = db.collection<DeviceDocument>('devices', { readConcern: { level: 'majority' } });
  const write = () => ({ writeConcern: { w: 'majority', journal: true } as const, ...deadline(deadlineMs) });
  const placeOf = (id: string): FieldPlace => ({ collection: 'devices', id, field: 'token' });

  async function register(document: Omit<DeviceDocument, 'version'>): Promise<DeviceDocument | null> {
    const { _id, tokenHash, locale, ...fields } = document;
    try {
      // On a phone that somebody else has signed in on, the token is theirs from now on.
      await devices.deleteOne({ tokenHash, _id: { $ne: _id } }, write());
      const update = {
        $set: { ...fields, tokenHash, ...(locale !== undefined && { locale }) },
        $inc: { version: 1 },
      };
      return await devices.findOneAndUpdate({ _id }, update, { upsert: true, returnDocument: 'after', ...write() });
    } catch (error) {
      // Another device has taken the token in between, or this one was made at the same time.
      if (isDuplicateKey(error)) return null;
      throw toMongoError(error);
    }
  }

  async function forgetOldest(userId: string): Promise<void> {
    const options = { projection: { _id: 1 }, sort: { seenAt: -1, _id: 1 }, skip: maxDevices } as const;
    const tooMany = await devices.find({ userId }, { ...options, ...deadline(deadlineMs) }).toArray();
    if (tooMany.length > 0) await devices.deleteMany({ _id: { $in: tooMany.map(({ _id }) => _id) } }, write());
  }

  return {
    async put({ userId, deviceId }, { platform, pushToken, locale }) {
      const _id = `${userId}.${deviceId}`;
      const document = {
        _id,
        userId,
        deviceId,
        platform,
        ...(locale !== undefined && { locale }),
        token: cipher.encrypt(pushToken, placeOf(_id)),
        tokenHash: blindIndex('devices.token', pushToken),
        seenAt: new Date(now()),
      };
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const device = await register(document);
        if (device === null) continue;
        await forgetOldest(userId).catch(rethrow);
        return device;
      }
      throw new AppError('database_unavailable', {
        detail: 'others registered the token faster than it could be written',
      });
    },

    async remove({ userId, deviceId }) {
      await devices.deleteOne({ _id: `${userId}.${deviceId}` }, write()).catch(rethrow);
    },

    async pushTargets(userId) {
      const found = await devices
        .find({ userId }, { sort: { seenAt: -1 }, limit: maxDevices, ...deadline(deadlineMs) })
        .toArray()
        .catch(rethrow);
      const targets: PushTargets = { readable: [], unreadable: [] };
      for (const { _id, deviceId, platform, locale, token: sealed, tokenHash } of found) {
        try {
          const token = cipher.decrypt(sealed, placeOf(_id));
          const optional = locale !== undefined && { locale };
          targets.readable.push({ deviceId, platform, ...optional, token, tokenHash });
        } catch (error) {
          targets.unreadable.push({ deviceId, error });
        }
      }
      return targets;
    },

    async removeDeadToken({ tokenHash, sentAt }) {
      const result = await devices.deleteOne({ tokenHash, seenAt: { $lte: sentAt } }, write()).catch(rethrow);
      return result.deletedCount === 1;
    },
  };
}

function rethrow(error: unknown): never {
  throw toMongoError(error);
}
