import { readFile } from 'node:fs/promises';
import type { Trip } from '@hushryd/contracts/trip';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import type { HttpClient } from '@hushryd/sdk/http/http-client';
import type { Page } from 'playwright-core';
import t from 'tap';
import { startConsoleSystem } from './console-system.ts';

// What an operator sees, by role and label, in a real browser over the whole product.

const patient = { timeout: 60_000 };
const within = { withinMs: 60_000 };
const running = await startConsoleSystem(t);

if ('reason' in running) {
  t.test('the console in a browser', { skip: running.reason }, async () => undefined);
} else {
  const { system, newLink, openPage, operator, parkVehicle } = running;
  const link = newLink();
  const page = await openPage(link);
  const connection = (words: RegExp) => page.getByRole('button', { name: words });
  const list = page.getByRole('complementary', { name: 'Vehicle list' });
  const row = (name: RegExp) => list.getByRole('button', { name });
  const details = page.getByRole('complementary', { name: 'Details' });
  const coordinates = details.getByTestId('coordinates');

  t.test('the printed link signs in, once, and leaves the address bar', async (t) => {
    await connection(/^Connection: Live/).waitFor(patient);
    t.notMatch(page.url(), 'code=');

    const second = await openPage(link);
    await second.getByText('npm start').first().waitFor(patient);
    t.equal(await second.getByRole('region', { name: 'Live map' }).count(), 0, 'a used link opens nothing');
    await second.close();
  });

  t.test('the map shows the fleet: who drives moves, who is parked does not', async (t) => {
    await parkVehicle('parked-by-the-river', { lat: 41.14, lng: -8.61 });
    await page.getByRole('region', { name: 'Live map' }).waitFor(patient);
    await page.keyboard.press('v');
    await row(/^parked-by-the-river/).waitFor(patient);
    await page.getByTestId('vehicle-count').getByText('13', { exact: true }).waitFor(patient);

    const trip = await drivenTrip(operator);
    const fixesOf = async () => (await operator.getTrack(trip.tripId)).fixes.length;
    await row(/^parked-by-the-river/).click();
    const parkedAt = await coordinates.innerText();
    const before = await fixesOf();
    await waitFor(async () => (await fixesOf()) >= before + 3, { ...within, what: 'three fixes of another car' });
    t.equal(await coordinates.innerText(), parkedAt, 'while others drive');

    await row(new RegExp(`^${trip.driverId}`)).click();
    await details.getByText(trip.driverId, { exact: true }).first().waitFor(patient);
    await movesFrom(await coordinates.innerText());
    t.pass('the place of the selected car changes');

    await details.getByRole('button', { name: /^Follow( |$)/ }).click();
    await details.getByRole('button', { name: /^Following/ }).waitFor(patient);
    // It is kept in the middle of what no panel covers, so its symbol has to be there, wherever it is by now.
    const middle = await middleOfMap();
    const card = page.getByRole('tooltip').getByText(trip.driverId);
    await waitFor(
      async () => {
        await page.mouse.move(middle.x - 200, middle.y);
        await page.mouse.move(middle.x, middle.y);
        return card.isVisible();
      },
      { ...within, what: 'the symbol of the followed car in the middle of the map' },
    );
    t.pass('its symbol is drawn where it is said to be');
    await page.keyboard.press('Escape');
    await details.waitFor({ ...patient, state: 'detached' });
    await page.keyboard.press('v');
  });

  // From here on nothing glides: on a machine without a graphics card every frame is time that the other tests wait for.
  await page.emulateMedia({ reducedMotion: 'reduce' });

  t.test('chips and a text leave on the map what they say, and a reload changes nothing', async (t) => {
    const filter = page.getByRole('search', { name: 'Filter the map' });
    const count = page.getByTestId('vehicle-count');
    await page.keyboard.press('v');
    await row(/^parked-by-the-river/).waitFor(patient);

    // Drivers of the fleet take breaks too, so how many are off duty is nobody's to know; who of them is not, is.
    await filter.getByRole('button', { name: 'On trip' }).click();
    await row(/^parked-by-the-river/).waitFor({ ...patient, state: 'detached' });
    await row(/^car-/).first().waitFor(patient);
    await filter.getByRole('button', { name: 'On trip' }).click();
    await filter.getByRole('button', { name: 'Off duty' }).click();
    await row(/^parked-by-the-river/).waitFor(patient);
    await row(/On trip/)
      .first()
      .waitFor({ ...patient, state: 'detached' });
    t.match(page.url(), /state=off/);

    await filter.getByRole('searchbox').fill('PARKED');
    await count.getByText('1', { exact: true }).waitFor(patient);
    await page.waitForURL(/q=PARKED/, patient);
    await page.reload();
    await filter.getByRole('button', { name: 'Off duty', pressed: true }).waitFor(patient);
    await count.getByText('1', { exact: true }).waitFor(patient);
    await row(/^parked-by-the-river/).waitFor(patient);
    t.pass('the address holds the chips and the text');

    await filter.getByRole('button', { name: 'Off duty' }).click();
    await filter.getByRole('button', { name: 'On trip' }).click();
    await page.getByText('No vehicle fits the filter').waitFor(patient);
    await filter.getByRole('button', { name: 'Show all vehicles again' }).click();
    await count.getByText('13', { exact: true }).waitFor(patient);
    t.notMatch(page.url(), /state=|q=/);
    await page.keyboard.press('v');
  });

  t.test('a trip is found by its id, and its track is drawn and grows', async (t) => {
    const trip = await drivenTrip(operator);
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: /Search/ }).fill(trip.tripId);
    const found = page.getByRole('option').filter({ hasText: `${trip.driverId}Trip` });
    await found.click(patient);
    await page.waitForURL(new RegExp(`trip=${trip.tripId}`), patient);
    await details.getByRole('heading', { name: trip.reference ?? trip.tripId }).waitFor(patient);
    await details.getByRole('region', { name: 'Trip' }).waitFor(patient);

    const fixes = async () => Number((await details.getByTestId('fix-count').innerText(patient)).replace(/\D/g, ''));
    const before = await fixes();
    t.ok(before > 1, `${before} fixes`);
    await waitFor(async () => (await fixes()) > before, { ...within, what: 'a longer track' });
    t.pass('the track grows');

    const bySpeed = details.getByRole('switch', { name: 'Colour by speed' });
    await trackIsDrawn(page, { isDrawn: true });
    await bySpeed.uncheck(patient);
    await trackIsDrawn(page, { isDrawn: false });
    await bySpeed.check(patient);
    await trackIsDrawn(page, { isDrawn: true });
    t.pass('its line is on the map, in the colours of speeds only while that is asked for');
  });

  t.test('a replay goes where the slider and the keys say, and a reload finds it there', async (t) => {
    await page.keyboard.press('f');
    await details.getByRole('button', { name: /^Following/ }).waitFor(patient);
    await page.keyboard.press('r');
    const dock = page.getByRole('region', { name: 'Replay' });
    const slider = dock.getByRole('slider', { name: 'Moment of the trip' });
    await slider.waitFor(patient);
    const moment = async () => Math.round(Number(await slider.getAttribute('aria-valuenow')));
    const shown = () => dock.getByLabel('Time shown').innerText();
    const position = () => dock.locator('[data-figure=Position] dd').innerText();
    const [startMs, startPosition, startTime] = [await moment(), await position(), await shown()];

    await slider.press('End');
    await waitFor(async () => (await moment()) > startMs, { ...within, what: 'the end of the track' });
    t.not(await position(), startPosition, 'another fix is shown');
    t.not(await shown(), startTime);
    await slider.press('Home');
    t.equal(await moment(), startMs);
    await slider.press('ArrowRight');
    t.equal(await moment(), startMs + 1000, 'an arrow is a second');
    const rail = await dock.locator('[data-orientation=horizontal]').first().boundingBox();
    if (rail) await page.mouse.click(rail.x + rail.width / 2, rail.y + rail.height / 2);
    await waitFor(async () => (await moment()) > startMs + 1000, { ...within, what: 'the moment that was clicked' });

    await slider.press('Home');
    await dock.getByText('1×', { exact: true }).click();
    await page.keyboard.press('Space');
    await dock.getByRole('button', { name: 'Pause the replay' }).waitFor(patient);
    await waitFor(async () => (await moment()) > startMs, { ...within, what: 'the replay to run' });
    await page.keyboard.press('Space');
    await dock.getByRole('button', { name: 'Play the replay' }).waitFor(patient);
    const stoppedMs = await moment();
    await page.waitForURL(new RegExp(`replay=${stoppedMs}`), patient);

    await page.reload();
    await slider.waitFor(patient);
    t.equal(await moment(), stoppedMs, 'the address holds the moment');
    await details.getByRole('button', { name: /^Following/ }).waitFor(patient);
    t.match(page.url(), /follow=1/, 'and that it is followed; still signed in');
  });

  t.test('the track is taken away as a file of each kind', async (t) => {
    const take = async (format: string) => {
      const [download] = await Promise.all([
        page.waitForEvent('download', patient),
        details.getByRole('button', { name: `Export as ${format}` }).click(patient),
      ]);
      return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
    };
    const [geojson, gpx, csv] = [await take('GeoJSON'), await take('GPX'), await take('CSV')];

    t.match(geojson.name, /\.geojson$/);
    t.match(JSON.stringify(JSON.parse(geojson.text)), /"coordinates":\[\[[-\d.]+,[-\d.]+/);
    t.match(gpx.name, /\.gpx$/);
    t.ok(gpx.text.split('<trkpt').length > 2, 'points');
    t.match(csv.name, /\.csv$/);
    t.ok(csv.text.trim().split('\n').length > 2, 'lines below the heading');
    await page.keyboard.press('Escape');
    await page.getByRole('region', { name: 'Replay' }).waitFor({ ...patient, state: 'detached' });
  });

  t.test('a lost connection is shown, and heals', async (t) => {
    const { driverId } = await drivenTrip(operator);
    await page.keyboard.press('v');
    await row(new RegExp(`^${driverId}`)).click(patient);
    await details.getByText(driverId, { exact: true }).first().waitFor(patient);
    const realtime = system.realtimes[0];
    await realtime?.process.kill9();
    await connection(/^Connection: (Reconnecting|Offline)/i).waitFor(patient);
    t.pass('the loss is shown');
    const lostAt = await coordinates.innerText();
    await realtime?.restart();
    await connection(/^Connection: Live/).waitFor(patient);
    await movesFrom(lostAt);
    t.pass('it healed, and vehicles move again');
  });

  /** Fails where what is selected stands still; how old a fix is does not count. */
  async function movesFrom(place: string): Promise<void> {
    await waitFor(async () => (await coordinates.innerText()) !== place, {
      ...within,
      what: `a move away from ${place}`,
    });
  }

  async function middleOfMap(): Promise<{ x: number; y: number }> {
    const map = await page.getByRole('region', { name: 'Live map' }).boundingBox();
    const [left, right] = [await list.boundingBox(), await details.boundingBox()];
    const top = await page.getByRole('search', { name: 'Filter the map' }).boundingBox();
    const bottom = await page.getByRole('group', { name: 'Vehicles on the map' }).boundingBox();
    if (!map || !left || !right || !top || !bottom) throw new Error('the map or what lies over it is not there');
    return { x: (left.x + left.width + right.x) / 2, y: (top.y + top.height + bottom.y) / 2 };
  }
}

/** A trip that somebody drives at this moment, with some of its track stored: others have only been accepted, or have just ended. */
async function drivenTrip(operator: HttpClient): Promise<Trip> {
  return waitFor(
    async () => {
      const { trips } = await operator.listTrips({ state: 'active', limit: 12 });
      // The newest has the longest way to go.
      for (const trip of trips) if ((await operator.getTrack(trip.tripId)).fixes.length > 5) return trip;
      return undefined;
    },
    { ...within, what: 'a trip with a track' },
  );
}

/** The colours that stretches of a track have by their speed, in the light theme (`palette.ts`). Nothing else on the map has them. */
const speedColours = ['44307d', '3a5a8c', '26788d', '1a9480', '4aa94f', 'a3a616'];
const leastLinePixels = 40;

/** Waits for the line to be there, or to be gone, by looking at the map as an operator does. */
async function trackIsDrawn(page: Page, { isDrawn }: { isDrawn: boolean }): Promise<void> {
  const map = await page.getByRole('region', { name: 'Live map' }).boundingBox();
  const panel = await page.getByRole('complementary', { name: 'Details' }).boundingBox();
  if (!map || !panel) throw new Error('there is no map beside the details');
  // Without the filters above and the legend below.
  const clip = { x: map.x, y: map.y + 60, width: panel.x - map.x, height: map.height - 130 };
  await waitFor(
    async () => {
      const picture = (await page.screenshot({ clip })).toString('base64');
      // A text: this side of the test knows no DOM.
      const count = await page.evaluate<number>(`(${countPixels})('${picture}', ${JSON.stringify(speedColours)})`);
      return isDrawn ? count >= leastLinePixels : count === 0;
    },
    { ...within, what: isDrawn ? 'the line of the track' : 'a map without the colours of speeds' },
  );
}

const countPixels = `async (picture, colours) => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + picture;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const wanted = new Set(colours.map((colour) => parseInt(colour, 16)));
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (wanted.has((data[at] << 16) | (data[at + 1] << 8) | data[at + 2])) count += 1;
  }
  return count;
}`;
