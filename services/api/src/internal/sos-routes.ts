import {
  type ForwardedSos,
  ForwardedSosSchema,
  SosAccessQuerySchema,
  SosAccessReplySchema,
  SosReplySchema,
  type SosTrigger,
} from '@hushryd/contracts/http/sos';
import { ForwardedSosFixesSchema, SosFixesReplySchema } from '@hushryd/contracts/http/sos-trail';
import type { AlertStore } from '@hushryd/outreach/alerts/alert-store';
import type { RaiseSos } from '@hushryd/outreach/alerts/raise-sos';
import type { ResolveViews } from '@hushryd/outreach/trail/resolve-views';
import type { TakePersonFixes } from '@hushryd/outreach/trail/take-person-fixes';
import type { ApiServer } from '../api-server.ts';
import type { TakePress } from '../take-press.ts';

/** What realtime nodes pass on of alerts: presses and fixes that came over a socket, and who may hear of an alert. */
export function addInternalSosRoutes(
  app: ApiServer,
  {
    takePress,
    raiseSos,
    store,
    resolveViews,
    takePersonFixes,
  }: {
    takePress: TakePress;
    raiseSos: RaiseSos;
    store: Pick<AlertStore, 'findPresses'>;
    resolveViews: ResolveViews;
    takePersonFixes: TakePersonFixes;
  },
): void {
  app.post(
    '/internal/sos',
    {
      // The way in bounds itself, and answers what it knows before whoever asked gives up.
      handlerTimeout: 5_000,
      schema: { body: ForwardedSosSchema, response: { 201: SosReplySchema, 202: SosReplySchema } },
      preValidation: async (request) => {
        request.body = takeForwarded(request.body, (trigger) => takePress(trigger, request.id)) as ForwardedSos;
      },
    },
    async ({ id: correlationId, body: { identity, trigger } }, reply) => {
      const press = { identity, trigger, isTokenExpired: false, via: 'socket', correlationId } as const;
      const answer = await raiseSos.raise(press);
      return reply.code(answer.durability === 'majority' ? 201 : 202).send(answer);
    },
  );

  app.post(
    '/internal/sos-access',
    { schema: { body: SosAccessQuerySchema, response: { 200: SosAccessReplySchema } } },
    async ({ body: { questions } }) => {
      const alerts = await store.findPresses(questions.map(({ alertId, userId }) => ({ triggerId: alertId, userId })));
      const known = await resolveViews(questions, alerts);
      const views = known.map((view) => (view === 'unknown' ? null : view));
      const unknown = known.flatMap((view, index) => (view === 'unknown' ? [index] : []));
      return { allowed: views.map((view) => view !== null), views, ...(unknown.length > 0 && { unknown }) };
    },
  );

  app.post(
    '/internal/sos-fixes',
    {
      handlerTimeout: 5_000,
      schema: { body: ForwardedSosFixesSchema, response: { 200: SosFixesReplySchema } },
    },
    async ({ body: { userId, alertId, run, fixes } }) => takePersonFixes({ alertId, run, fixes, by: userId }),
  );
}

/** What a newer node says beside the two makes nobody wait for help. What they are, and that they are there, the schema judges next. */
function takeForwarded(given: unknown, take: (trigger: unknown) => SosTrigger | undefined): unknown {
  if (typeof given !== 'object' || given === null) return given;
  const { identity, trigger } = given as Partial<ForwardedSos>;
  const { userId, role } = identity ?? {};
  return { identity: { userId, role }, trigger: take(trigger) ?? trigger };
}
