import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import { readAlertAttemptId } from '@hushryd/outreach/dispatch/attempt-id';
import { freePort } from '@hushryd/platform/engines/ports';
import type { TestScope } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { startSandbox } from '@hushryd/providers/sandbox/start-sandbox';
import type { Db } from 'mongodb';
import { press } from './sos-desk.ts';
import { asRider, contactBody, createCall, newId, startTestApi, type TestEnvironment } from './test-api.ts';

/** A rider with one contact, who gets a text. */
export interface Person {
  userId: string;
  alertId: string;
  phone: string;
}

export type PlayedEmergencies = Awaited<ReturnType<typeof playEmergencies>>;

/** More at the same moment would show how much the embedded database takes, and not what a fault costs. */
const mostAtOnce = 8;
/** The sandbox gives whoever it asks ten seconds. */
const databaseBackWithinMs = 8_000;

/**
 * Riders who press, an api, the companies that it asks, and somebody who is asked before a company answers: is there a majority, or a
 * line in the journal, for what this call is about?
 *
 * @param db for looking: not by the way that faults are put on
 */
export async function playEmergencies(
  t: TestScope,
  { db, environment }: { db: Db; environment: TestEnvironment & Record<string, string> },
) {
  const alerts = db.collection<AlertDocument>('alerts', { readConcern: { level: 'majority' } });

  const findAlert = (alertId: string) =>
    alerts.findOne({ triggerIds: alertId }, { projection: { _id: 1 }, signal: AbortSignal.timeout(500) });

  async function isHeld(alertId: string): Promise<boolean> {
    const found = await findAlert(alertId).catch(() => undefined);
    if (found) return true;
    if (await isJournaled(environment.SOS_JOURNAL_DIR, alertId)) return true;
    // The journal lets go of what the database has; it can be asked again where it did not answer.
    if (found === null) return false;
    return waitFor(() => findAlert(alertId), { withinMs: databaseBackWithinMs, what: 'the alert' }).then(
      () => true,
      () => false,
    );
  }

  const observer = createServer(async (request, response) => {
    const { attemptId = '' } = JSON.parse(await textOf(request)) as { attemptId?: string };
    const alertId = readAlertAttemptId(attemptId)?.alertId;
    // What acknowledges or resolves an incident names the incident alone.
    response.writeHead(alertId === undefined || (await isHeld(alertId)) ? 204 : 409).end();
  });
  observer.listen(0, '127.0.0.1');
  await once(observer, 'listening');
  t.teardown(() => observer.close());

  const port = await freePort();
  const webhookBaseUrl = `http://127.0.0.1:${port}/v1/webhooks`;
  const sandbox = await startSandbox({
    observerUrl: `http://127.0.0.1:${(observer.address() as AddressInfo).port}/`,
    webhookBaseUrl,
    maxMessages: 100_000,
    receiptDelayMs: 20,
  });
  t.teardown(() => sandbox.close());
  const whole = {
    ...environment,
    ...sandbox.environment,
    WEBHOOK_BASE_URL: webhookBaseUrl,
    MSG91_TEMPLATES: 'sos_alert.en=dlt-sos-alert-en',
    LOG_LEVEL: 'info',
  };
  const api = await startTestApi(t, { ...whole, LOG_LEVEL: 'silent', PORT: String(port) });
  const textsTo = ({ phone }: Person) => sandbox.messages.list({ recipient: phone });
  let count = 0;

  return {
    /** For further processes. */
    environment: whole,
    workerEnvironment: { ...whole, METRICS_PORT: '0', ROADS_TTL_DAYS: '90' },
    api,
    sandbox,
    textsTo,
    newPeople: (howMany: number): Promise<Person[]> =>
      Promise.all(
        Array.from({ length: howMany }, async () => {
          count += 1;
          const userId = newId('rider');
          const phone = `+1555${String(1_000_000 + count)}`;
          const body = { ...contactBody, phone };
          // A node that is busy, or that has just got its stores back, says so.
          await waitFor(
            async () => (await api.call('PUT /v1/users/me/contacts/asha', { as: asRider(userId), body })).status < 300,
            { withinMs: 30_000, what: 'a contact that is taken' },
          );
          return { userId, phone, alertId: press().alertId };
        }),
      ),
    raiseAt: (url: string, { userId, alertId }: Person) =>
      createCall(url)('POST /v1/sos', { as: asRider(userId), body: press({ alertId }) }),
    /**
     * All of them, as soon as those before them have their answers, or `until` more than that has come.
     *
     * @returns when each had its answer, or heard that nobody is there
     */
    async pressAll(
      press: (person: Person) => Promise<unknown>,
      all: readonly Person[],
      { until }: { until?: (person: Person) => Promise<unknown> } = {},
    ): Promise<Map<string, number>> {
      const waiting = [...all];
      const answeredAtMs = new Map<string, number>();
      const pressNext = async () => {
        for (let person = waiting.shift(); person !== undefined; person = waiting.shift()) {
          await press(person).catch(() => undefined);
          answeredAtMs.set(person.alertId, Date.now());
          await until?.(person);
        }
      };
      await Promise.all(Array.from({ length: mostAtOnce }, pressNext));
      return answeredAtMs;
    },
    /** What is wrong with them; nothing, for the product as it ships. One duplicate a lease that was lost. */
    findProblems(all: readonly Person[], { mostTexts = 2 } = {}): string[] {
      const texts = all.map((person) => textsTo(person).length);
      return [
        ...(texts.includes(0) ? ['somebody was never told'] : []),
        ...(texts.some((times) => times > mostTexts) ? ['somebody was told too often'] : []),
        ...(sandbox.stats().observer.refused > 0 ? ['somebody was told before the alert was persisted'] : []),
      ];
    },
  };
}

async function isJournaled(rootDir: string, alertId: string): Promise<boolean> {
  const entries = await readdir(rootDir, { recursive: true, withFileTypes: true }).catch(() => []);
  // One may be gone by the time that it is read.
  const texts = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8').catch(() => '')),
  );
  return texts.some((text) => text.includes(alertId));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
