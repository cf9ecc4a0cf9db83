import type { PutContactBody } from '@hushryd/contracts/http/contacts';
import type { SosReply, SosTrigger } from '@hushryd/contracts/http/sos';
import { uuidV7 } from '@hushryd/sdk/sos/uuid-v7';
import { Pool } from 'undici';
import { createPlaces, tripId } from '../city.ts';
import { serveCommands } from '../processes/serve-commands.ts';
import { inLanes } from './in-lanes.ts';
import { sendOnSchedule, sendSaturated, type TimedSends } from './timed-sends.ts';

/** Phones that call for help, each of another person, and what became of it. */
interface People {
  readonly apiPort: number;
  /** One a person: nobody presses twice, or it would be the same alert. */
  readonly tokens: readonly string[];
}

export interface Answers {
  /** By what held the alert (`majority`, `local`), else by status; `none` where no answer came. */
  readonly answers: Readonly<Record<string, number>>;
  /** Ids of those that were taken. */
  readonly alertIds: readonly string[];
}

export type PressCounts = TimedSends & Answers;

const connections = 64;
const contactLanes = 16;
/** Phones are more patient than any answer of ours may take. */
const answerWithinMs = 10_000;
const placeOf = createPlaces(11);

async function post(pool: Pool, token: string, request: { method: 'POST' | 'PUT'; path: string; body: unknown }) {
  const { statusCode, body } = await pool.request({
    method: request.method,
    path: request.path,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(request.body),
    signal: AbortSignal.timeout(answerWithinMs),
  });
  return { statusCode, text: await body.text() };
}

/** A press as an app sends it. */
function toTrigger(nth: number, nowMs: number): SosTrigger {
  const now = new Date(nowMs).toISOString();
  return {
    alertId: uuidV7(nowMs),
    triggeredAt: now,
    location: { ...placeOf(), accuracyMeters: 8, recordedAt: now },
    batteryPercent: 41,
    device: { platform: 'android', model: 'Pixel 8', osVersion: '15', appVersion: '1.0.0' },
    tripId: tripId(nth),
  };
}

async function press(pool: Pool, token: string, nth: number): Promise<{ answer: string; alertId?: string }> {
  try {
    const body = toTrigger(nth, Date.now());
    const { statusCode, text } = await post(pool, token, { method: 'POST', path: '/v1/sos', body });
    if (statusCode >= 300) return { answer: String(statusCode) };
    const reply = JSON.parse(text) as SosReply;
    return { answer: reply.durability, alertId: reply.alertId };
  } catch {
    return { answer: 'none' };
  }
}

/** @param work is given what presses for the nth person */
async function withPresses<Result>(
  { apiPort, tokens }: People,
  work: (pressNth: (nth: number) => Promise<void>) => Promise<Result>,
): Promise<{ result: Result } & Answers> {
  const pool = new Pool(`http://127.0.0.1:${apiPort}`, { connections, pipelining: 1 });
  const answers: Record<string, number> = {};
  const alertIds: string[] = [];
  try {
    const result = await work(async (nth) => {
      const { answer, alertId } = await press(pool, tokens[nth] as string, nth);
      answers[answer] = (answers[answer] ?? 0) + 1;
      if (alertId !== undefined) alertIds.push(alertId);
    });
    return { result, answers, alertIds };
  } finally {
    await pool.close();
  }
}

const commands = {
  /** One for each person, who is reached over these channels. @throws Error where one is not taken */
  async addContacts({ apiPort, tokens, channels }: People & Pick<PutContactBody, 'channels'>): Promise<void> {
    const pool = new Pool(`http://127.0.0.1:${apiPort}`, { connections: contactLanes, pipelining: 1 });
    await inLanes(tokens, contactLanes, async (token, nth) => {
      const phone = `+9198${String(10_000_000 + nth)}`;
      const body: PutContactBody = { name: 'Asha', phone, locale: 'en', channels, relation: 'sister' };
      const { statusCode, text } = await post(pool, token, {
        method: 'PUT',
        path: '/v1/users/me/contacts/first',
        body,
      });
      if (statusCode !== 201) throw new Error(`a contact was answered with ${statusCode}: ${text}`);
    });
    await pool.close();
  },

  async press({
    perSecond,
    uncounted = 0,
    ...people
  }: People & { perSecond: number; uncounted?: number }): Promise<PressCounts> {
    const count = people.tokens.length;
    const { result, ...answers } = await withPresses(people, (pressNth) =>
      sendOnSchedule({ count, perSecond, uncounted }, pressNth),
    );
    return { ...result, ...answers };
  },

  /** Each person once, or as many as there is time for. */
  async saturate({ inFlight, seconds, ...people }: People & { inFlight: number; seconds: number }): Promise<Answers> {
    const atMost = people.tokens.length;
    return withPresses(people, (pressNth) => sendSaturated({ inFlight, seconds, atMost }, pressNth));
  },
};

export type SosLoadCommands = typeof commands;

serveCommands(commands);
