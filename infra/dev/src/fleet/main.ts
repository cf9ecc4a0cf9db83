import { setMaxListeners } from 'node:events';
import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { runMain } from '@hushryd/platform/lifecycle/run-main';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import type { Backend } from './backend.ts';
import { readFleetConfig } from './config.ts';
import { driveCity } from './drive-city.ts';
import { replayTrips } from './replay-trips.ts';
import { createTokenSource } from './token-source.ts';

/** The fleet as a process of its own: simulated phones and riders over the public doors. */
runMain(async () => {
  const config = readFleetConfig(process.env);
  const log = createLogger({ service: 'fleet', instanceId: createInstanceId('fleet'), level: config.logLevel });
  const lifecycle = createLifecycle({ log, timeoutMs: 10_000 });
  const stopping = new AbortController();
  // Every phone's every wait listens to it.
  setMaxListeners(0, stopping.signal);
  const { apiUrl, realtimeUrl, issuerUrl, fleetSecret, fleet } = config;
  const backend: Backend = { apiUrl, realtimeUrl, tokensFor: createTokenSource({ issuerUrl, fleetSecret }) };
  const tell = (text: string) =>
    void reportToScreen({ issuerUrl, fleetSecret, text }).catch((err) => log.warn({ err }, 'not told'));
  const shared = { backend, signal: stopping.signal, log };

  const driving = drive();
  lifecycle.add('driving', async () => {
    stopping.abort();
    await driving;
  });
  lifecycle.onSignals();
  await driving;

  async function drive(): Promise<void> {
    switch (fleet.kind) {
      case 'none':
        return;
      case 'city':
        return driveCity({ ...shared, ...fleet, onRoad: () => tell(`  ${fleet.vehicles} cars are on the road.`) });
      case 'replay':
        await replayTrips({ ...shared, ...fleet, tell: (sentence) => tell(`  ${sentence}`) });
        // What was driven stays to be looked at; only a signal ends a fleet.
        return waitFor(stopping.signal);
    }
  }
});

function waitFor(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => undefined, 60_000);
  return new Promise((resolve) => {
    const end = () => {
      clearInterval(alive);
      resolve();
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
  });
}

async function reportToScreen(input: { issuerUrl: string; fleetSecret: string; text: string }): Promise<void> {
  const response = await fetch(`${input.issuerUrl}/dev/fleet-report`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${input.fleetSecret}` },
    body: JSON.stringify({ text: input.text }),
    signal: AbortSignal.timeout(5000),
  });
  if (!response.ok) throw new Error(`the runner answered ${response.status}`);
}
