import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Role } from '@hushryd/platform/auth/claims';
import { freePort } from '@hushryd/platform/engines/ports';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { within } from '@hushryd/platform/testing/wait-for';
import type { ConnectionOptions } from '@hushryd/sdk/connection/connection-options';
import { createHttpClient, type HttpClient } from '@hushryd/sdk/http/http-client';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import type { Test } from 'tap';
import { findChromium } from '../src/browser/find-chromium.ts';
import { driveCity } from '../src/fleet/drive-city.ts';
import { createTokenSource } from '../src/fleet/token-source.ts';
import { loadSigningKeys } from '../src/issuer/signing-keys.ts';
import { openDoor } from '../src/runner/open-door.ts';
import { createNodeSocket, type System, startSystem } from './system.ts';

const fleet = { kind: 'city', vehicles: 12, seed: 7, intervalMs: 1000 } as const;
const rootDir = fileURLToPath(new URL('../../../', import.meta.url));

/** Eight frames a second: without a graphics card each is drawn by the cores that the services under test need. A text, since this side knows no DOM. */
const fewerFrames = `{
  const { requestAnimationFrame, cancelAnimationFrame } = window;
  const frames = new Map();
  window.requestAnimationFrame = (draw) => {
    const id = setTimeout(() => frames.set(id, requestAnimationFrame((at) => { frames.delete(id); draw(at); })), 125);
    return id;
  };
  window.cancelAnimationFrame = (id) => {
    clearTimeout(id);
    cancelAnimationFrame(frames.get(id));
    frames.delete(id);
  };
}`;

export interface ConsoleSystem {
  readonly system: System;
  /** A link that signs an operator in, once. */
  newLink(): string;
  openPage(link: string): Promise<Page>;
  /** Another operator's console, with a script that runs before its own: the development issuer's links sign in one and the same. */
  openPageAs(userId: string, script?: string): Promise<Page>;
  /** The API as an operator has it, for what a test has to know beside what it sees. */
  readonly operator: HttpClient;
  /** The API as somebody else has it. */
  httpAs(userId: string, role: Role): HttpClient;
  /** What an SDK client needs to speak as this user to one of the nodes. */
  connectionOptions(userId: string, role: 'driver' | 'rider', node?: number): ConnectionOptions;
  /** A driver who takes no rides and stands there: his first fix is his last. */
  parkVehicle(driverId: string, place: { lat: number; lng: number }): Promise<void>;
}

/**
 * The whole product with a small fleet on the road, and a browser. `hasFleet: false`: nobody is connected whom the test did not connect.
 *
 * @returns the reason, where there is no browser on this machine
 */
export async function startConsoleSystem(
  t: Test,
  { realtimes = 1, hasFleet = true }: { realtimes?: number; hasFleet?: boolean } = {},
): Promise<ConsoleSystem | { reason: string }> {
  const found = await findChromium({ path: process.env.CHROMIUM_PATH, mayInstall: false });
  if ('reason' in found) return found;

  const folder = await mkdtemp(join(tmpdir(), 'hushryd-console-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const keysDir = join(folder, 'keys');
  const { publicKeysFile } = await loadSigningKeys(keysDir);
  const consolePort = await freePort();
  const origin = `http://127.0.0.1:${consolePort}`;
  const system = await startSystem(t, {
    realtimes,
    env: {
      TOKEN_PUBLIC_KEYS: '',
      TOKEN_PUBLIC_KEYS_FILE: publicKeysFile,
      CORS_ORIGINS: origin,
      ALLOWED_ORIGINS: origin,
    },
  });

  const fleetSecret = randomBytes(24).toString('base64url');
  const portOf = (url = '') => Number(new URL(url).port);
  const ports = {
    api: portOf(system.apis[0]?.url),
    realtime: portOf(system.realtimes[0]?.url),
    console: consolePort,
    internal: 0,
    apiMetrics: 0,
    realtimeMetrics: 0,
    workerMetrics: 0,
    sandbox: 0,
  };
  const data = { root: folder, keysDir, logsDir: folder, release: () => undefined };
  const door = await openDoor({ data, ports, fleet, fleetSecret, rootDir, tell: () => undefined });
  t.teardown(() => door.close());
  const tokensFor = createTokenSource({ issuerUrl: origin, fleetSecret });
  if (hasFleet) await startFleet(t, system, tokensFor);

  const httpAs = (userId: string, role: Role) =>
    createHttpClient({ apiUrl: system.apis[0]?.url ?? '', getToken: tokensFor({ userId, role }) });

  const browser = await startBrowser(t, found.program);
  const openPage = async (link: string, prepare: (page: Page) => Promise<unknown> = async () => undefined) => {
    const page = await browser.newPage({ viewport: { width: 1200, height: 760 }, baseURL: origin });
    await page.addInitScript(fewerFrames);
    await prepare(page);
    await page.goto(link);
    return page;
  };
  return {
    system,
    newLink: door.newLink,
    operator: httpAs('operator-test', 'operator'),
    httpAs,
    connectionOptions: (userId, role, node = 0) => ({
      realtimeUrl: (system.realtimes[node]?.url ?? '').replace('http', 'ws'),
      apiUrl: system.apis[0]?.url ?? '',
      getToken: tokensFor({ userId, role }),
      auth: 'bearer',
      createSocket: createNodeSocket,
    }),
    async parkVehicle(driverId, place) {
      const driver = httpAs(driverId, 'driver');
      const { run } = await driver.createRun();
      await driver.postFixes({ run, from: 1, fixes: [{ seq: 1, recordedAtMs: Date.now(), ...place }] });
    },
    openPage: (link) => openPage(link),
    openPageAs: (userId, script) =>
      openPage('/#code=any', async (page) => {
        if (script !== undefined) await page.addInitScript(script);
        await page.route('**/dev/token', async (route) => {
          const token = await tokensFor({ userId, role: 'operator' })({});
          const expiresAt = new Date(Date.now() + 600_000).toISOString();
          await route.fulfill({
            json: { token, expiresAt, user: { userId, role: 'operator', name: userId } },
          });
        });
      }),
  };
}

async function startFleet(t: Test, system: System, tokensFor: ReturnType<typeof createTokenSource>): Promise<void> {
  const stopping = new AbortController();
  const apiUrl = system.apis[0]?.url ?? '';
  const realtimeUrl = (system.realtimes[0]?.url ?? '').replace('http', 'ws');
  const onRoad = new Promise<void>((resolve) => {
    const driving = driveCity({
      ...fleet,
      backend: { apiUrl, realtimeUrl, tokensFor },
      signal: stopping.signal,
      log: createLogger({ service: 'fleet', instanceId: 'test', level: 'error' }),
      onRoad: resolve,
    });
    t.teardown(async () => {
      stopping.abort();
      await driving;
    });
  });
  await within(onRoad, { withinMs: 60_000, what: 'the fleet on the road' });
}

async function startBrowser(t: Test, program: string): Promise<Browser> {
  // As root Chromium has no sandbox; the other switches keep it from calling home.
  const quiet = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking'];
  const browser = await chromium.launch({
    executablePath: program,
    args: [...quiet, '--disable-component-update', '--disable-sync'],
  });
  t.teardown(() => browser.close());
  return browser;
}
