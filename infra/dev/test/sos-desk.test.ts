import { readFile } from 'node:fs/promises';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { uuidV7 } from '@hushryd/sdk/sos/uuid-v7';
import type { Page } from 'playwright-core';
import t from 'tap';
import { startConsoleSystem } from './console-system.ts';

// Two operators at the SOS desk, by role and label, in a real browser over the whole product.

const patient = { timeout: 60_000 };
const within = { withinMs: 60_000 };
const running = await startConsoleSystem(t, { hasFleet: false });

if ('reason' in running) {
  t.test('the SOS desk in a browser', { skip: running.reason }, async () => undefined);
} else {
  const { system, newLink, openPage, openPageAs, operator, httpAs } = running;
  const asha = httpAs('asha', 'operator');
  await operator.putOnCall({
    version: 0,
    timeZone: 'UTC',
    people: [{ personId: 'asha', name: 'Asha', phone: '+12025550111', locale: 'en', channels: ['voice'] }],
    levels: [
      {
        name: 'On call',
        shifts: [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', until: '24:00', personIds: ['asha'] }],
      },
    ],
  });
  const page = await openPage(newLink());
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.getByRole('button', { name: /^Connection: Live/ }).waitFor(patient);
  const bar = page.getByRole('region', { name: 'Unclaimed SOS' });
  const queue = (of: Page) => of.getByRole('list', { name: 'Open alerts' });
  const row = (of: Page, userId: string) => queue(of).getByRole('link').filter({ hasText: userId });
  const panel = (of: Page) => of.getByRole('complementary', { name: 'Alert' });
  const sounds = (how: string) => page.locator(`[aria-label="Unclaimed SOS"][data-sound=${how}]`).waitFor(patient);

  const press = (userId: string) =>
    httpAs(userId, 'rider').raiseSos({
      alertId: uuidV7(Date.now()),
      triggeredAt: new Date().toISOString(),
      location: { lat: 41.15, lng: -8.61, accuracyMeters: 18, recordedAt: new Date().toISOString() },
      batteryPercent: 11,
      device: { model: 'Pixel 9' },
      note: 'He does not stop',
    });

  t.test('an alert is over every room, with a sound that can be put off and not be turned off', async (t) => {
    await page.getByRole('link', { name: 'Trips' }).click();
    await press('rosa');
    await bar.getByText('rider rosa').waitFor(patient);
    await page
      .getByRole('alert')
      .filter({ hasText: 'SOS of rider rosa' })
      .waitFor({ ...patient, state: 'attached' });
    t.match(await page.title(), /^\(1\) SOS/);
    await bar.getByText(/^Escalates to level 1 in 0:\d\d/).waitFor(patient);
    await sounds('sounding');

    await page.keyboard.press('m');
    await sounds('silenced');
    t.match(await bar.innerText(), /Silent for (1:00|0:\d\d)/);
    await press('rita');
    await sounds('sounding');
    t.match(await bar.innerText(), /and 1 more that nobody has claimed/, 'who waits longer comes first');

    await page.keyboard.press('s');
    await page.getByRole('heading', { name: 'SOS desk' }).waitFor(patient);
    await panel(page).getByRole('heading', { name: 'rosa' }).waitFor(patient);
    t.match(page.url(), /#\/sos\?alert=/);
    await panel(page).getByText('“He does not stop”').waitFor(patient);
    t.match(await panel(page).innerText(), /He does not stop.*11 %.*Pixel 9.*± 18 m/s);
    t.match(await row(page, 'rosa').innerText(), /Unclaimed.*Battery 11 %/s);
  });

  t.test('a page that nobody has touched says that its sound is held back', async (t) => {
    const untouched = await openPageAs('ulla', holdSoundBack);
    const held = untouched.locator('[aria-label="Unclaimed SOS"][data-sound=blocked]');
    await held.getByRole('button', { name: /The browser holds the sound back/ }).waitFor(patient);
    await untouched.keyboard.press('Shift');
    await untouched.locator('[aria-label="Unclaimed SOS"][data-sound=sounding]').waitFor(patient);
    t.pass('and is heard from the first key on');
    await untouched.close();
  });

  t.test('whoever loses a race is told who won, and may take over', async (t) => {
    const other = await openPageAs('asha');
    await other.getByRole('link', { name: /^Open the alert/ }).waitFor(patient);
    await other.keyboard.press('s');
    await panel(other).getByText('Nobody has claimed it').waitFor(patient);
    // A colleague is faster by the time that this one's order takes.
    await page.route(
      '**/v1/sos/*/claim',
      async (route) => {
        await asha.claimAlert(route.request().url().split('/').at(-2) ?? '');
        await route.continue();
      },
      { times: 1 },
    );
    await page.keyboard.press('c');
    await page
      .getByRole('status')
      .filter({ hasText: /A colleague was faster\. Claimed by Asha/ })
      .waitFor(patient);
    t.match(await row(page, 'rosa').innerText(), /Claimed by Asha (now|\d+ s ago)/);
    await panel(other)
      .getByText(/Claimed by you/)
      .waitFor(patient);
    await bar.getByText('rider rita').waitFor(patient);

    await page.keyboard.press('c');
    await page.getByRole('dialog', { name: 'Take the alert over from Asha?' }).waitFor(patient);
    await page.keyboard.press('Enter');
    t.equal(
      await panel(page)
        .getByText(/Claimed by you/)
        .count(),
      0,
      'a hasty Enter takes nothing',
    );
    await page.keyboard.press('c');
    await page.getByRole('button', { name: 'Take over' }).last().click();
    await panel(page)
      .getByText(/Claimed by you/)
      .waitFor(patient);
    await panel(other)
      .getByText(/Claimed by operator-dev/)
      .waitFor(patient);
    t.pass('the colleague sees it');
    await other.close();
  });

  t.test('the trail moves with the phone of whoever calls for help', async (t) => {
    const rosa = httpAs('rosa', 'rider');
    const [alert] = (await operator.listAlerts()).alerts.filter(({ userId }) => userId === 'rosa');
    const run = Date.now();
    const move = (seq: number) =>
      rosa.postSosFixes(alert?.alertId ?? '', {
        run,
        fixes: [{ seq, recordedAtMs: Date.now(), lat: 41.15 + seq / 1000, lng: -8.61 }],
      });
    const ofPerson = page
      .getByRole('list', { name: 'On the map' })
      .getByRole('listitem')
      .filter({ hasText: 'Person’s' });
    t.match(await ofPerson.innerText(), 'no fix');
    await move(1);
    await ofPerson.getByText(/^1 fix, last/).waitFor(patient);
    await move(2);
    await ofPerson.getByText(/^2 fixes, last (now|\d+ s ago)/).waitFor(patient);
    await page.reload();
    await ofPerson.getByText(/^2 fixes/).waitFor(patient);
    t.pass('and what was before is read');
  });

  t.test('by keyboard alone: another alert, acknowledged, noted, resolved, and found again', async (t) => {
    await page.keyboard.press('k');
    await panel(page).getByRole('heading', { name: 'rita' }).waitFor(patient);
    t.match(await panel(page).innerText(), /Escalat(es|ing) to level \d/);
    await page.keyboard.press('a');
    await panel(page).getByText('Escalation stopped').first().waitFor(patient);
    await bar.waitFor({ ...patient, state: 'detached' });
    const { alerts } = await operator.listAlerts({ state: 'acknowledged' });
    t.match(alerts, [{ userId: 'rita', acknowledgedBy: 'operator-dev', escalatesAt: null }]);

    await page.keyboard.press('n');
    await page.keyboard.type('She answers: a flat tyre.');
    await page.keyboard.press('Control+Enter');
    const timeline = page.getByRole('region', { name: 'Timeline' });
    await timeline.getByText('She answers: a flat tyre.').waitFor(patient);

    await page.keyboard.press('p');
    await page.getByRole('dialog', { name: 'Have rita called?' }).getByRole('button', { name: 'Call' }).click();
    await page
      .getByText(/no verified number to call/)
      .first()
      .waitFor(patient);
    await page.keyboard.press('Escape');

    await page.keyboard.press('r');
    await page.keyboard.press('Enter');
    await page.getByRole('alertdialog', { name: 'Resolve the alert?' }).waitFor(patient);
    t.equal((await operator.listAlerts({ state: 'resolved' })).alerts.length, 0, 'not without a reason');
    await page.keyboard.type('Mechanic is with her');
    await page.keyboard.press('Enter');
    await panel(page).getByText('“Mechanic is with her”').waitFor(patient);
    await row(page, 'rita').waitFor({ ...patient, state: 'detached' });

    const take = async (format: string) => {
      const [download] = await Promise.all([
        page.waitForEvent('download', patient),
        page.getByRole('button', { name: `Export as ${format}` }).click(),
      ]);
      return readFile(await download.path(), 'utf8');
    };
    t.match(JSON.parse(await take('JSON')), { format: 'hushryd.alert-timeline.1', alert: { userId: 'rita' } });
    t.match(await take('GPX'), '<gpx');

    await page.getByRole('radio', { name: 'Resolved' }).check({ force: true });
    const ended = page.getByRole('list', { name: 'Ended alerts' });
    await ended.getByRole('link').filter({ hasText: 'rita' }).waitFor(patient);
    await page.reload();
    await ended.getByRole('link').filter({ hasText: 'rita' }).waitFor(patient);
    t.match(page.url(), /ended=resolved/, 'the address holds it');
    await page.getByRole('radio', { name: /^Open/ }).check({ force: true });
  });

  t.test('offline it says so, and an order that could not be given is not given later', async (t) => {
    await row(page, 'rosa').click();
    await panel(page)
      .getByRole('button', { name: /^Acknowledge/ })
      .waitFor(patient);
    await Promise.all([system.apis[0]?.process.kill9(), system.realtimes[0]?.process.kill9()]);
    await page.getByRole('alert').filter({ hasText: 'Offline: new alerts do not arrive here' }).waitFor(patient);
    await page.keyboard.press('a');
    await panel(page)
      .getByRole('alert')
      .filter({ hasText: /not known whether the alert was acknowledged.*Nothing is kept to be sent later/s })
      .waitFor(patient);

    await Promise.all([system.apis[0]?.restart(), system.realtimes[0]?.restart()]);
    await page.getByRole('button', { name: 'Try now' }).click();
    await page
      .getByRole('alert')
      .filter({ hasText: 'Offline' })
      .waitFor({ ...patient, state: 'detached' });
    await waitFor(async () => (await operator.listAlerts()).alerts.length > 0, { ...within, what: 'the api' });
    t.match((await operator.listAlerts({ state: 'open' })).alerts, [{ userId: 'rosa', state: 'open' }]);

    await press('ruth');
    await row(page, 'ruth').waitFor(patient);
    t.pass('alerts arrive again');
  });
}

/** As browsers do on a page that nobody has touched. A page under test counts as touched whenever the test looks at it. */
const holdSoundBack = `{
  let isTouched = false;
  addEventListener('keydown', () => { isTouched = true; }, { capture: true, once: true });
  window.AudioContext = class extends AudioContext {
    get state() { return isTouched ? super.state : 'suspended'; }
    resume() { return isTouched ? super.resume() : new Promise(() => undefined); }
  };
}`;
