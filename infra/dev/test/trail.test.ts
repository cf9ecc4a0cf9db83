import { randomBytes } from 'node:crypto';
import type { TrailPoint } from '@hushryd/contracts/http/sos-trail';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createConsoleClient } from '@hushryd/sdk/console-client';
import { createDriverClient } from '@hushryd/sdk/driver-client';
import { createRiderClient } from '@hushryd/sdk/rider-client';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { chromium } from 'playwright-core';
import t from 'tap';
import { findChromium } from '../src/browser/find-chromium.ts';
import { startSystemOnOwnEngines } from './system.ts';
import { trailLink } from './trail-link.ts';

// The live trail of an alert on real processes: both phones, everybody who watches, history, and a contact's link in a browser; while each
// service is killed in turn and Redis is emptied.

/** What is watched every five seconds has to be there by then; the rest is for processes that start on a busy machine. */
const within = { withinMs: 30_000 };
const fieldKey = randomBytes(32).toString('base64');
const { system, redis, mongo } = await startSystemOnOwnEngines(t, {
  env: {
    FIELD_KEYS: JSON.stringify({ test: fieldKey }),
    FIELD_KEY_CURRENT: 'test',
    HISTORY_FLUSH_MS: '2000',
    REPUBLISH_CHANGED_MS: '200',
  },
});
const apiUrl = system.apis[0]?.url ?? '';
const operatorHttp = system.http('olga', 'operator');
const trip = await operatorHttp.createTrip({
  driverId: 'dora',
  passengerIds: ['rita'],
  origin: { lat: 41.15, lng: -8.61 },
  destination: { lat: 41.2, lng: -8.6 },
});
await operatorHttp.startTrip(trip.tripId);

async function ask(userId: string, route: string, body?: object): Promise<Response> {
  const [method = '', path = ''] = route.split(' ');
  return fetch(`${apiUrl}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${system.token(userId, userId === 'olga' ? 'operator' : 'rider')}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
}

for (const [contactId, app] of [
  ['sister', { channels: ['sms', 'app'], userId: 'sita' }],
  ['neighbour', { channels: ['sms'] }],
] as const) {
  const body = { name: 'Asha', phone: '+15555550101', locale: 'en', ...app };
  const { status } = await ask('rita', `PUT /v1/users/me/contacts/${contactId}`, body);
  if (status !== 201) throw new Error(`a contact was answered ${status}`);
}

const driver = createDriverClient(system.connectionOptions('dora', 'driver'));
const rita = createRiderClient(system.connectionOptions('rita', 'rider'));
const sita = createRiderClient(system.connectionOptions('sita', 'rider'));
const operator = createConsoleClient(system.connectionOptions('olga', 'operator'));
const clients = [driver, rita, sita, operator];
t.teardown(() => Promise.all(clients.map((client) => client.close())));
await Promise.all(clients.map((client) => client.connect()));

const call = rita.triggerSos({
  tripId: trip.tripId,
  location: { lat: 41.15, lng: -8.61, recordedAt: new Date().toISOString() },
});
const { alertId } = await call.answered;

/** The car goes north, the person on foot east of it. */
let step = 0;
const sentByRita: number[] = [];
const walking = setInterval(() => {
  step += 1;
  const recordedAtMs = Date.now();
  driver.addFix({ recordedAtMs, lat: 41.15 + step * 2e-5, lng: -8.61, accuracyMeters: 5, speedMps: 9 }, trip);
  rita.sendSosFixes(alertId, [{ recordedAtMs, lat: 41.15 + step * 1e-5, lng: -8.608, accuracyMeters: 12 }]);
  sentByRita.push(recordedAtMs);
}, 250);
t.teardown(() => clearInterval(walking));

/** What each watcher has been told. */
function watch(client: typeof rita) {
  const heard: TrailPoint[] = [];
  let endedBy: string | undefined;
  client.watchAlert(alertId, {
    onTrail: (points) => void heard.push(...points),
    onEvent: () => undefined,
    onEnded: (reason) => {
      endedBy = reason;
    },
  });
  const newestMs = (source: TrailPoint['source']) =>
    Math.max(0, ...heard.filter((point) => point.source === source).map(({ recordedAt }) => Date.parse(recordedAt)));
  return {
    endedBy: () => endedBy,
    /** Both phones have said something from after this moment. */
    hears: (sinceMs: number) =>
      waitFor(() => newestMs('driver') > sinceMs && newestMs('person') > sinceMs, {
        ...within,
        what: `both phones, newest ${new Date(newestMs('driver')).toISOString()} ${new Date(newestMs('person')).toISOString()}`,
      }),
  };
}
const watchers = [watch(operator), watch(sita), watch(rita)];
const allHear = (sinceMs = Date.now()) => Promise.all(watchers.map((watcher) => watcher.hears(sinceMs)));

t.test('staff, the person and a contact with the app see both phones move', async (t) => {
  await allHear();
  await allHear();
  const { points } = await sitaTrail();
  t.ok(points.some(({ source }) => source === 'driver') && points.some(({ source }) => source === 'person'));
});

const sitaTrail = () => system.http('sita', 'rider').getAlertTrail(alertId);

t.test('whichever process is killed, and with an emptied Redis, it goes on', async (t) => {
  for (const [name, service] of [
    ['worker', system.workers[0]],
    ['realtime', system.realtimes[0]],
    ['api', system.apis[0]],
  ] as const) {
    await service?.process.kill9();
    await service?.restart();
    await allHear();
    t.pass(`after the ${name}`);
  }

  const client = new Redis(redis.url);
  t.teardown(() => client.disconnect());
  await client.flushall();
  await allHear();
  const key = `${system.redisPrefix}sos:tracking:${alertId}`;
  const tracked = await waitFor(
    async () => {
      const fields = await client.hgetall(key);
      return fields.status !== undefined && fields.lastLocation !== undefined ? fields : undefined;
    },
    { ...within, what: 'the alert among those that are followed' },
  );
  t.match(tracked, { userId: 'rita', status: 'open', tripId: trip.tripId });
});

t.test('history has both, marked with the alert, and nothing that was named as stored is missing', async (t) => {
  const mongoClient = new MongoClient(mongo.url);
  t.teardown(() => mongoClient.close());
  const history = mongoClient.db(system.database).collection('location_history');
  const marked = await history.find({ 'meta.alertId': alertId }).toArray();
  t.ok(marked.some(({ meta }) => meta.driverId === 'dora' && meta.tripId === trip.tripId));
  t.ok(marked.every(({ meta }) => meta.personId === 'rita' || meta.driverId === 'dora'));

  const wanted = sentByRita.slice();
  await waitFor(
    async () => {
      const stored = await history.find({ 'meta.alertId': alertId, 'meta.personId': 'rita' }).toArray();
      const times = new Set(stored.map(({ ts }) => (ts as Date).getTime()));
      return wanted.every((ms) => times.has(ms));
    },
    { ...within, what: 'every fix of the person in history' },
  );
});

const found = await findChromium({ path: process.env.CHROMIUM_PATH, mayInstall: false });
t.test(
  'a contact without the app opens the link, and sees it until it ends',
  { skip: 'reason' in found && found.reason },
  async (t) => {
    if ('reason' in found) return;
    const quiet = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking'];
    const browser = await chromium.launch({ executablePath: found.program, args: quiet });
    t.teardown(() => browser.close());
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'en-IN' });
    const patient = { timeout: 60_000 };
    const open = async (
      contactId: string,
      { of = alertId, expiresAtMs = Date.now() + 3_600_000, on = context } = {},
    ) => {
      const page = await on.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('request', (request) => {
        if (!request.url().startsWith(apiUrl) && !request.url().startsWith('data:')) problems.push(request.url());
      });
      await page.goto(trailLink({ pageUrl: `${apiUrl}/share.html`, fieldKey, alertId: of, contactId, expiresAtMs }));
      return { page, problems, heading: (name: string) => page.getByRole('heading', { name }) };
    };

    const { page, problems, heading } = await open('neighbour');
    await heading('Help is needed').waitFor(patient);
    await page.getByRole('img', { name: /Person: .*Vehicle: / }).waitFor(patient);
    const place = () => page.getByRole('link', { name: 'Open in maps' }).getAttribute('href');
    const before = await place();
    await waitFor(async () => (await place()) !== before, { ...within, what: 'a place on the page that is newer' });
    const maps = page.getByRole('link', { name: 'Open in maps' });
    t.match(
      await place(),
      /^https:\/\/www\.openstreetmap\.org\/\?mlat=-?\d+\.\d+&mlon=-?\d+\.\d+#/,
      'a map for any browser',
    );
    t.equal(await maps.getAttribute('rel'), 'noreferrer');
    t.equal(await page.getByRole('link', { name: 'Open in an app' }).count(), 0, 'nothing here would open it');
    t.equal(await page.getByRole('link', { name: 'Call 112' }).getAttribute('href'), 'tel:112');
    await page.getByRole('button', { name: 'हिन्दी' }).click();
    await heading('मदद की ज़रूरत है').waitFor(patient);
    await page.getByRole('button', { name: 'English' }).click();

    const android = await browser.newContext({
      locale: 'en-IN',
      userAgent: 'Mozilla/5.0 (Linux; Android 15) Chrome/150',
    });
    const phone = await open('neighbour', { on: android });
    const app = phone.page.getByRole('link', { name: 'Open in an app' });
    await app.waitFor(patient);
    t.match(await app.getAttribute('href'), /^geo:-?\d+\.\d+,-?\d+\.\d+\?q=/);
    t.same(phone.problems, []);

    const expired = await open('neighbour', { expiresAtMs: Date.now() - 1_000 });
    await expired.heading('This link has expired').waitFor(patient);
    t.equal(await expired.page.getByRole('img').count(), 0);
    const forged = await open('stranger');
    await forged.heading('This link has expired').waitFor(patient);
    const removed = await open('sister');
    await removed.heading('Help is needed').waitFor(patient);
    await ask('rita', 'DELETE /v1/users/me/contacts/sister');
    await removed.heading('This link has expired').waitFor(patient);
    await waitFor(() => watchers[1]?.endedBy() !== undefined, { ...within, what: 'the end of what the app shows' });
    t.equal(watchers[1]?.endedBy(), 'forbidden', 'and the app shows the removed contact nothing more');

    const silent = await openSilent(open);
    t.match(await silent.page.getByRole('alert').innerText(patient), /^The newest place is 5 min old/);

    await ask('olga', `POST /v1/sos/${alertId}/resolve`, { reason: 'helped' });
    const ended = await open('neighbour');
    await ended.heading('The alert has ended').waitFor(patient);
    t.match(await ended.page.getByRole('figure').innerText(), /roughly/);
    t.same([...problems, ...ended.problems], [], 'no error, and nobody else was asked for anything');
  },
);

/** The page of an alert that was raised ten minutes ago, and of whose phone nothing has come for five. */
async function openSilent<Opened>(
  open: (contactId: string, alert: { of: string }) => Promise<Opened>,
): Promise<Opened> {
  const agoMs = (ms: number) => Date.now() - ms;
  const silentId = alertId.replace(/^.{8}/, '01890a5d');
  await ask('rosa', 'PUT /v1/users/me/contacts/friend', {
    name: 'A',
    phone: '+15555550102',
    locale: 'en',
    channels: ['sms'],
  });
  await ask('rosa', 'POST /v1/sos', { alertId: silentId, triggeredAt: new Date(agoMs(600_000)).toISOString() });
  const fix = { seq: 1, recordedAtMs: agoMs(300_000), lat: 41.16, lng: -8.62 };
  await ask('rosa', `POST /v1/sos/${silentId}/fixes`, { run: 1, fixes: [fix] });
  return open('friend', { of: silentId });
}
