import type { Page } from 'playwright-core';
import t from 'tap';
import { startConsoleSystem } from './console-system.ts';

// What an operator sees, by role and label, in a real browser over the whole product.

const patient = { timeout: 60_000 };
const running = await startConsoleSystem(t);

if ('reason' in running) {
  t.test('the console in a browser', { skip: running.reason }, async () => undefined);
} else {
  const { system, newLink, openPage, parkVehicle } = running;
  const link = newLink();
  const page = await openPage(link);
  const connection = (words: RegExp) => page.getByRole('button', { name: words });

  t.test('the printed link signs in, once, and leaves the address bar', async (t) => {
    await connection(/^Connection: Live/).waitFor(patient);
    t.notMatch(page.url(), 'code=');

    const second = await openPage(link);
    await second.getByText('npm start').first().waitFor(patient);
    t.equal(await second.getByRole('region', { name: 'Live map' }).count(), 0, 'a used link opens nothing');
    await second.close();
  });

  t.test('the map shows the fleet, and it moves', async (t) => {
    await page.getByRole('region', { name: 'Live map' }).waitFor(patient);
    await page.keyboard.press('v');
    const list = page.getByRole('complementary', { name: 'Vehicle list' });
    await list.getByRole('button', { name: /^car-0001/ }).waitFor(patient);
    t.match(await list.getByRole('heading').innerText(), '12');

    const canvas = page.getByRole('region', { name: 'Live map' });
    const before = await canvas.screenshot();
    await changesFrom(page, before);
    t.pass('two pictures of the map differ');
    await page.keyboard.press('v');
  });

  t.test('chips and a text leave on the map what they say, and a reload changes nothing', async (t) => {
    await parkVehicle('parked-by-the-river', { lat: 41.14, lng: -8.61 });
    const list = page.getByRole('complementary', { name: 'Vehicle list' });
    const filter = page.getByRole('search', { name: 'Filter the map' });
    const onMap = (count: number) =>
      page
        .getByTestId('vehicle-count')
        .and(page.getByText(String(count), { exact: true }))
        .waitFor(patient);
    const row = (name: RegExp) => list.getByRole('button', { name });
    await page.keyboard.press('v');
    await row(/^parked-by-the-river/).waitFor(patient);
    await row(/^car-0001/).waitFor(patient);
    await onMap(13);

    await filter.getByRole('button', { name: 'Off duty' }).click();
    await onMap(1);
    await row(/^car-0001/).waitFor({ ...patient, state: 'detached' });
    await row(/^parked-by-the-river/).waitFor(patient);
    t.match(page.url(), /state=off/);

    await page.reload();
    await filter.getByRole('button', { name: 'Off duty', pressed: true }).waitFor(patient);
    await onMap(1);
    await row(/^parked-by-the-river/).waitFor(patient);
    t.pass('the address holds the chips');

    await filter.getByRole('searchbox').fill('CAR-0001');
    await page.getByText('No vehicle fits the filter').waitFor(patient);
    await filter.getByRole('button', { name: 'Off duty' }).click();
    await row(/^car-0001/).waitFor(patient);
    await onMap(1);
    t.match(page.url(), /q=CAR-0001/);

    await filter.getByRole('button', { name: 'Show all vehicles again' }).click();
    await onMap(13);
    t.notMatch(page.url(), /state=|q=/);
    await page.keyboard.press('v');
  });

  t.test('a trip is found by typing, followed, and draws its track', async (t) => {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: /Search/ }).fill('car-0001');
    await page.getByRole('option').first().click(patient);
    const details = page.getByRole('complementary', { name: 'Details' });
    await details.waitFor(patient);
    await details.getByRole('region', { name: 'Vehicle' }).getByText(/km\/h/).first().waitFor(patient);

    const track = details.getByRole('region', { name: 'Track' });
    await track
      .getByText(/\d+ fixes|\d+(\.\d+)? k?m/)
      .first()
      .waitFor(patient);
    // A driver who was searched for is followed at once, a trip when one asks for it.
    const follow = details.getByRole('button', { name: /^Follow( |$)/ });
    if (await follow.isVisible()) await follow.click();
    await details.getByRole('button', { name: /^Following/ }).waitFor(patient);
    t.match(page.url(), /follow/i, 'the view can be shared');

    await page.reload();
    await page.getByRole('complementary', { name: 'Details' }).waitFor(patient);
    await page.getByRole('button', { name: /^Following/ }).waitFor(patient);
    t.pass('a reload shows the same, still signed in');
    await page.keyboard.press('Escape');
    await page.getByRole('complementary', { name: 'Details' }).waitFor({ ...patient, state: 'detached' });
  });

  t.test('a lost connection is shown, and heals', async (t) => {
    const realtime = system.realtimes[0];
    await realtime?.process.kill9();
    await connection(/^Connection: (Reconnecting|Offline)/i).waitFor(patient);
    t.pass('the loss is shown');
    await realtime?.restart();
    await connection(/^Connection: Live/).waitFor(patient);
    await changesFrom(page, await page.getByRole('region', { name: 'Live map' }).screenshot());
    t.pass('it healed, and vehicles move again');
  });
}

/** Waits until the map looks different; ages in the margin do not count, they are no part of it. */
async function changesFrom(page: Page, before: Buffer): Promise<void> {
  const map = page.getByRole('region', { name: 'Live map' });
  const deadlineMs = Date.now() + 60_000;
  while (Date.now() < deadlineMs) {
    if (!(await map.screenshot()).equals(before)) return;
  }
  throw new Error('the map did not change within 60 s');
}
