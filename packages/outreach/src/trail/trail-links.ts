import { createHmac, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { FieldKeys } from '@hushryd/platform/crypto/field-keys';

/** What a link is good for: one alert, for one contact of its person, until then. */
export interface TrailGrant {
  alertId: string;
  contactId: string;
  expiresAtMs: number;
}

export interface TrailLinks {
  /**
   * A link that shows the trail of an alert without a login. Asked for again within the hour it is the same one. Pure but for the clock.
   * @throws RangeError where an id is not one
   */
  trailUrlOf(alertId: string, contactId: string): string;
  /** @returns undefined for what we did not sign; whether it has run out says `expiresAtMs` */
  read(token: string): TrailGrant | undefined;
}

/** However long an alert stays open. */
export const maxLinkMs = 86_400_000;
const hourMs = 3_600_000;
const macBytes = 16;
const idFormat = /^[A-Za-z0-9_-]{1,64}$/;
const uuidFormat = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Links for contacts: a grant with a MAC of 128 bits, short enough for a text message (72 characters where both ids are UUIDs). The token stands
 * in the link's fragment, which browsers send to nobody.
 *
 * They are not stored, so nothing has to be written before a message can go out; the alert's end, and the person's list of contacts, are
 * looked up whenever one is used.
 *
 * The MAC's key is derived from the newest of FIELD_KEYS; links of the others stay good, so a rotation breaks none.
 *
 * @param pageUrl where the page is, without a fragment
 */
export function createTrailLinks({
  pageUrl,
  fieldKeys,
  now = Date.now,
}: {
  pageUrl: string;
  fieldKeys: Pick<FieldKeys, 'current' | 'keys'>;
  now?: () => number;
}): TrailLinks {
  const keys = new Map([...fieldKeys.keys].map(([kid, key]) => [kid, derive(key)]));
  const current = keys.get(fieldKeys.current) as Buffer;

  return {
    trailUrlOf(alertId, contactId) {
      // By the hour, so that a message that is sent again says the same.
      const expiresAtMs = Math.floor((now() + maxLinkMs) / hourMs) * hourMs;
      const grant = encodeGrant({ alertId, contactId, expiresAtMs });
      return `${pageUrl}#${Buffer.concat([grant, macOf(current, grant)]).toString('base64url')}`;
    },

    read(token) {
      const bytes = Buffer.from(token, 'base64url');
      // Of all spellings of the same bytes one alone is a token.
      if (bytes.length <= macBytes || bytes.toString('base64url') !== token) return undefined;
      const grant = bytes.subarray(0, -macBytes);
      const mac = bytes.subarray(-macBytes);
      if (![...keys.values()].some((key) => timingSafeEqual(macOf(key, grant), mac))) return undefined;
      return decodeGrant(grant);
    },
  };
}

const derive = (key: KeyObject): Buffer => Buffer.from(hkdfSync('sha256', key, '', 'hushryd trail link', 32));

const macOf = (key: Buffer, grant: Buffer): Buffer =>
  createHmac('sha256', key).update(grant).digest().subarray(0, macBytes);

/** u32 seconds until it ends · the two ids, each u8 length + text, or length 0 + the 16 bytes of a UUID. */
function encodeGrant({ alertId, contactId, expiresAtMs }: TrailGrant): Buffer {
  const end = Buffer.alloc(4);
  end.writeUInt32BE(expiresAtMs / 1000);
  return Buffer.concat([end, encodeId(alertId), encodeId(contactId)]);
}

function encodeId(id: string): Buffer {
  if (!idFormat.test(id)) throw new RangeError('An id is 1–64 of A–Z a–z 0–9 _ -');
  if (uuidFormat.test(id)) return Buffer.from(`00${id.replaceAll('-', '')}`, 'hex');
  return Buffer.concat([Buffer.from([id.length]), Buffer.from(id, 'latin1')]);
}

/** Only of what we signed. */
function decodeGrant(bytes: Buffer): TrailGrant {
  const ids: string[] = [];
  for (let at = 4; at < bytes.length; ) {
    const length = bytes.readUInt8(at);
    const end = at + 1 + (length === 0 ? 16 : length);
    const id = bytes.subarray(at + 1, end);
    ids.push(length === 0 ? toUuid(id.toString('hex')) : id.toString('latin1'));
    at = end;
  }
  const [alertId = '', contactId = ''] = ids;
  return { alertId, contactId, expiresAtMs: bytes.readUInt32BE(0) * 1000 };
}

const toUuid = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
