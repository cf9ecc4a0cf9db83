import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { findChromium } from '../browser/find-chromium.ts';
import { startRunner } from './start-runner.ts';

/**
 * `npm run screenshots [-- OPTIONS]`: starts HushRyd, lets its cars drive for a while, and writes what an operator sees to
 * docs/images/live-map.png. The options are those of `npm start`, so recorded trips can be shown too.
 */
const rootDir = join(import.meta.dirname, '../../../..');
const picture = join(rootDir, 'docs/images/live-map.png');
const patient = { timeout: 60_000 };
const drivingMs = 30_000;

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
    console.log(`Wrote ${relative(rootDir, picture)}`);
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
    await page.screenshot({ path: picture, ...patient });
  } finally {
    await browser.close();
  }
}
