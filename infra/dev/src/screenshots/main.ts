import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { findChromium } from '../browser/find-chromium.ts';
import { startRunner } from './start-runner.ts';

/**
 * `npm run screenshots [-- OPTIONS]`: starts HushRyd, lets its cars drive for a while, and writes what an operator sees to
 * docs/images: each room in both themes. The options are those of `npm start`, so recorded trips and several nodes can be shown too.
 */
const rootDir = join(import.meta.dirname, '../../../..');
const folder = join(rootDir, 'docs/images');
const patient = { timeout: 60_000 };
const drivingMs = 30_000;
const watchingMs = 30_000;
/** The map flies there, and its streets are laid out anew. */
const settlingMs = 3_000;

/** As the rail names them. */
const rooms = [
  { name: 'live-map', room: 'Live map', prepare: openMap },
  { name: 'trips', room: 'Trips', prepare: openTrips },
  { name: 'system', room: 'System', prepare: openSystem },
  // Last: while nobody works on an alert, it stands over every room.
  { name: 'sos-desk', room: 'SOS desk', prepare: openDesk },
] as const;

const args = process.argv.slice(2);
const found = await findChromium({ path: process.env.CHROMIUM_PATH, mayInstall: true });
if ('reason' in found) {
  console.error(found.reason);
  process.exitCode = 1;
} else {
  const runner = await startRunner({
    rootDir,
    args: args.length > 0 ? args : ['--vehicles', '150', '--interval', '2'],
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void runner.stop().finally(() => process.exit(130)));
  }
  try {
    await photograph(found.program, runner.link);
  } finally {
    await runner.stop();
  }
}

async function photograph(program: string, link: string): Promise<void> {
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-sync'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark' });
    await page.goto(link);
    await page.getByRole('button', { name: /Connection: live/i }).waitFor(patient);
    // Cars leave their depots, and the first streets are learned.
    await sleep(drivingMs);
    for (const { name, room, prepare } of rooms) {
      await page.getByRole('link', { name: room }).click();
      await prepare(page);
      await write(page, `${name}.png`);
      await page.getByRole('button', { name: 'Switch to the light theme' }).click();
      await write(page, `${name}-light.png`);
      await page.getByRole('button', { name: 'Switch to the dark theme' }).click();
    }
  } finally {
    await browser.close();
  }
}

async function openMap(page: Page): Promise<void> {
  await page.getByRole('region', { name: 'Live map' }).waitFor(patient);
  // The map took its place when the first cars were there; now all of them are.
  await page.keyboard.press('0');
  await sleep(settlingMs);
}

async function openTrips(page: Page): Promise<void> {
  await page.getByRole('row').nth(1).waitFor(patient);
}

async function openSystem(page: Page): Promise<void> {
  await page.getByRole('searchbox', { name: 'User id' }).fill('operator-dev');
  await page.getByRole('button', { name: 'Look up' }).click();
  await page.getByRole('list', { name: /^Open connections of/ }).waitFor(patient);
  // Some answers make a line.
  await sleep(watchingMs);
}

/** One alert that is being worked on, and one that nobody has claimed. */
async function openDesk(page: Page): Promise<void> {
  await pressSimulatedSos(page, 1);
  await page.keyboard.press('c');
  await page.getByRole('status').filter({ hasText: 'You have it' }).waitFor(patient);
  await page.keyboard.press('n');
  await page.keyboard.type('She does not pick up; calling the driver.');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('status').filter({ hasText: 'The note is kept' }).waitFor(patient);
  await sleep(watchingMs);
  const worked = page.url();
  await pressSimulatedSos(page, 2);
  await page.goto(worked);
  await sleep(settlingMs);
}

async function pressSimulatedSos(page: Page, count: number): Promise<void> {
  await page.getByRole('button', { name: 'Let a simulated rider press SOS' }).click();
  const rows = page.getByRole('list', { name: 'Open alerts' }).getByRole('link');
  await rows.nth(count - 1).waitFor(patient);
  await page.getByRole('complementary', { name: 'Alert' }).getByText('Nobody has claimed it').waitFor(patient);
}

async function write(page: Page, name: string): Promise<void> {
  const path = join(folder, name);
  // No button is shown as if somebody were about to press it.
  await page.mouse.move(700, 24);
  // A change of theme fades; the picture shows its end.
  await page.screenshot({ path, animations: 'disabled', ...patient });
  console.log(`Wrote ${relative(rootDir, path)}`);
}
