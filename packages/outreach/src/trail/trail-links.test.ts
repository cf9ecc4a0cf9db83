import { randomBytes, randomUUID } from 'node:crypto';
import { toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import { createTestFieldKeys } from '@hushryd/platform/testing/field-keys';
import t from 'tap';
import { createTrailLinks, maxLinkMs } from './trail-links.ts';

const pageUrl = 'https://api.example/share.html';
const fieldKeys = toFieldKeys(createTestFieldKeys());
const tokenOf = (url: string) => url.slice(pageUrl.length + 1);

t.test('a link names one alert and one contact, for at most a day, in a fragment', async (t) => {
  const nowMs = Date.parse('2026-03-01T08:20:30.000Z');
  const links = createTrailLinks({ pageUrl, fieldKeys, now: () => nowMs });
  const ids = [
    { alertId: randomUUID(), contactId: randomUUID() },
    { alertId: `${randomUUID()}-0123456789ab`, contactId: 'sister' },
    { alertId: 'a'.repeat(64), contactId: 'Z'.repeat(64) },
  ];

  for (const { alertId, contactId } of ids) {
    const url = links.trailUrlOf(alertId, contactId);
    t.ok(url.startsWith(`${pageUrl}#`));
    const read = links.read(tokenOf(url));
    t.match(read, { alertId, contactId });
    const lifeMs = (read?.expiresAtMs ?? 0) - nowMs;
    t.ok(lifeMs <= maxLinkMs && lifeMs > maxLinkMs - 3_600_000, `lives ${lifeMs} ms`);
    t.equal(links.trailUrlOf(alertId, contactId), url, 'a message that is sent again says the same');
  }
  t.equal(tokenOf(links.trailUrlOf(randomUUID(), randomUUID())).length, 72, 'fits a text message');
  t.throws(() => links.trailUrlOf('not an id', 'sister'), RangeError);
  t.throws(() => links.trailUrlOf(randomUUID(), ''), RangeError);
});

t.test('nothing but what we signed is read: no changed bit, no other spelling, no other key', async (t) => {
  const links = createTrailLinks({ pageUrl, fieldKeys });
  const token = tokenOf(links.trailUrlOf(randomUUID(), randomUUID()));
  const bytes = Buffer.from(token, 'base64url');

  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    if (links.read(changed.toString('base64url')) !== undefined) t.fail(`bit ${bit} makes no difference`);
  }
  for (const wrong of ['', 'x', `${token}=`, `${token}A`, token.slice(0, -1), randomBytes(53).toString('base64url')]) {
    t.equal(links.read(wrong), undefined);
  }
  const others = createTrailLinks({ pageUrl, fieldKeys: toFieldKeys(createTestFieldKeys()) });
  t.equal(others.read(token), undefined);
  t.ok(links.read(token), 'the control');
});

t.test('a rotation of the keys breaks no link, and taking the old key away ends it', async (t) => {
  const before = createTestFieldKeys('old');
  const after = createTestFieldKeys('new');
  const both = { ...JSON.parse(before.FIELD_KEYS), ...JSON.parse(after.FIELD_KEYS) };
  const rotated = toFieldKeys({ ...after, FIELD_KEYS: JSON.stringify(both) });
  const token = tokenOf(
    createTrailLinks({ pageUrl, fieldKeys: toFieldKeys(before) }).trailUrlOf(randomUUID(), 'sister'),
  );

  t.match(createTrailLinks({ pageUrl, fieldKeys: rotated }).read(token), { contactId: 'sister' });
  t.equal(createTrailLinks({ pageUrl, fieldKeys: toFieldKeys(after) }).read(token), undefined);
});
