import { ShareParamsSchema, ShareQuerySchema, ShareReplySchema } from '@hushryd/contracts/http/share';
import type { ShareAlert } from '@hushryd/outreach/trail/share-alert';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { ApiServer } from '../api-server.ts';
import { createRequestBudget } from './request-budget.ts';

/** A page asks every four seconds; a family may have it open on several phones. */
const perMinute = 120;

/** The trail of an alert without a login, for whoever has the link; the page for it: page-routes.ts. */
export function addShareRoutes(app: ApiServer, { shareAlert }: { shareAlert: ShareAlert }): void {
  const takeRequest = createRequestBudget({ perMinute });

  app.get(
    '/v1/share/:token',
    {
      config: { roles: 'anyone' },
      schema: {
        tags: ['sos'],
        operationId: 'getShare',
        summary: 'An alert as the holder of a link may see it',
        description:
          'The token is the link’s fragment. 404: we did not make it. 410 `link_expired`: it has run out, the alert ended half an hour ago, ' +
          'or its person has removed the contact. Ask again every four seconds, at most 120 times a minute.',
        params: ShareParamsSchema,
        querystring: ShareQuerySchema,
        response: { 200: ShareReplySchema },
      },
    },
    async ({ params: { token }, query: { since } }) => {
      const retryAfterMs = takeRequest(token);
      if (retryAfterMs > 0) throw new AppError('too_many_requests', { retryAfterMs });
      return shareAlert({ token, since });
    },
  );
}
