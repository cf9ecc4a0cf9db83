import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { findChromium } from '../browser/find-chromium.ts';
import { startRunner } from './start-runner.ts';

/**
 * `npm run screenshots [-- OPTIONS]`: starts HushRyd, lets its cars drive for a while, and writes what an operator sees to
 * docs/images: the live map, and the System room in both themes. The options are those of `npm start`, so recorded trips and several
 * nodes can be shown too.
 */
const rootDir = join(import.meta.dirname, '../../../..');
const folder = join(rootDir, 'docs/images');
const patient = { timeout: 60_000 };
const drivingMs = 30_000;
const watchingMs = 30_000;

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
    await write(page, 'live-map.png');

    await page.getByRole('link', { name: 'System' }).click();
    await page.getByRole('searchbox', { name: 'User id' }).fill('operator-dev');
    await page.getByRole('button', { name: 'Look up' }).click();
    await page.getByRole('list', { name: /^Open connections of/ }).waitFor(patient);
    // Some answers make a line.
    await sleep(watchingMs);
    await write(page, 'system.png');
    await page.getByRole('button', { name: 'Switch to the light theme' }).click();
    await write(page, 'system-light.png');
  } finally {
    await browser.close();
  }
}

async function write(page: Page, name: string): Promise<void> {
  const path = join(folder, name);
  // A change of theme fades; the picture shows its end.
  await page.screenshot({ path, animations: 'disabled', ...patient });
  console.log(`Wrote ${relative(rootDir, path)}`);
}
