import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { onResponseHookHandler } from 'fastify';
import type { ApiServer } from '../api-server.ts';

export interface RequestCounts {
  readonly finishedCount: number;
  readonly abortedCount: number;
}

/** Time of each request by route and status. Counts of requests and errors are in the histogram too. Register before the routes. */
export function addMetrics(app: ApiServer, telemetry: Telemetry): RequestCounts {
  const seconds = telemetry.histogram({
    name: 'http_request_seconds',
    help: 'Time from the request to the end of its response',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30],
  });
  const aborted = telemetry.counter({
    name: 'http_requests_aborted_total',
    help: 'Requests whose caller went away before the response was complete',
  });
  let finishedCount = 0;
  let abortedCount = 0;

  /** The pattern, never the path: a path has ids in it. */
  const observe =
    (route: string): onResponseHookHandler =>
    (request, reply, done) => {
      finishedCount += 1;
      seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
      done();
    };

  // One hook a route: asking the request for its route builds an object of all its options, each time.
  app.addHook('onRoute', (route) => {
    const others = route.onResponse ?? [];
    route.onResponse = [...(Array.isArray(others) ? others : [others]), observe(route.url)];
  });
  app.addHook('onRequestAbort', (_request, done) => {
    aborted.inc();
    abortedCount += 1;
    done();
  });

  return {
    get finishedCount() {
      return finishedCount;
    },
    get abortedCount() {
      return abortedCount;
    },
  };
}
