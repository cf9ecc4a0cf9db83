import type { HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { createHealthReports, type Ping } from '@hushryd/platform/health/health-reports';
import { replyJson } from './replies.ts';

/** The three health paths. Ready to take sockets and fixes: not without Redis, not while draining. */
export function addHealthRoutes(
  app: TemplatedApp,
  {
    instanceId,
    probes,
    isDraining,
  }: { instanceId: string; probes: { redis: Ping; internalApi: Ping; liveData: Ping }; isDraining: () => boolean },
): void {
  const reports = createHealthReports({
    service: 'realtime',
    instanceId,
    isDraining,
    needs: ['redis'],
    dependencies: probes,
  });

  app.get('/health/live', (res) => replyJson(res, 200, reports.live()));

  app.get('/health/ready', (res) =>
    replyLater(res, async () => {
      const body = await reports.ready();
      return { code: body.status === 'ready' ? 200 : 503, body };
    }),
  );

  app.get('/health', (res) => replyLater(res, async () => ({ code: 200, body: await reports.health() })));
}

function replyLater(res: HttpResponse, answer: () => Promise<{ code: number; body: object }>): void {
  let isAborted = false;
  res.onAborted(() => {
    isAborted = true;
  });
  void answer().then(({ code, body }) => {
    if (!isAborted) replyJson(res, code, body);
  });
}
