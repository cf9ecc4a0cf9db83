import { createHmac, hkdfSync } from 'node:crypto';

/**
 * The link of a contact as the product writes it, made by what is said of it and not by its code: u32 seconds until it ends, the two ids
 * (each a length and its text, or 0 and the 16 bytes of a UUID), and 16 bytes of HMAC-SHA-256 under a key derived from a field key.
 *
 * @param fieldKey 32 bytes in base64
 */
export function trailLink({
  pageUrl,
  fieldKey,
  alertId,
  contactId,
  expiresAtMs,
}: {
  pageUrl: string;
  fieldKey: string;
  alertId: string;
  contactId: string;
  expiresAtMs: number;
}): string {
  const end = Buffer.alloc(4);
  end.writeUInt32BE(Math.floor(expiresAtMs / 1000));
  const uuid = Buffer.from(`00${alertId.replaceAll('-', '')}`, 'hex');
  const grant = Buffer.concat([end, uuid, Buffer.from([contactId.length]), Buffer.from(contactId)]);
  const key = Buffer.from(hkdfSync('sha256', Buffer.from(fieldKey, 'base64'), '', 'hushryd trail link', 32));
  const mac = createHmac('sha256', key).update(grant).digest().subarray(0, 16);
  return `${pageUrl}#${Buffer.concat([grant, mac]).toString('base64url')}`;
}
