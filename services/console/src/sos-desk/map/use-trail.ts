import type { HttpClient } from '@hushryd/sdk/http/http-client';
import { useEffect, useState } from 'react';
import { useBackend } from '../../data/backend.ts';
import { mergeTrail, type TrailPoint } from './trail-point.ts';

const pageSize = 1_000;
const maxPages = 5;
const nothing: readonly TrailPoint[] = [];

export interface Trail {
  points: readonly TrailPoint[];
  /** Why the trail so far could not be read; the live one goes on. */
  error: unknown;
}

/** Where both phones were since the button was pressed: read at each beginning, live after it. */
export function useTrail(alertId: string | undefined): Trail {
  const { http, realtime } = useBackend();
  const [trail, setTrail] = useState<Trail & { alertId: string | undefined }>();
  useEffect(() => {
    if (alertId === undefined) return undefined;
    let isOver = false;
    const change = (next: (before: Trail) => Trail) => {
      if (isOver) return;
      setTrail((known) => {
        const before = known?.alertId === alertId ? known : { points: nothing, error: undefined };
        return { ...next(before), alertId };
      });
    };
    const read = async () => {
      try {
        await readTrail(http, alertId, (points) =>
          change((before) => ({ points: mergeTrail(before.points, points), error: undefined })),
        );
      } catch (error) {
        change((before) => ({ ...before, error }));
      }
    };
    const watch = realtime.watchAlert(alertId, {
      // Also after every reconnect: what was missed meanwhile is told by nobody else.
      onSubscribed: () => void read(),
      onTrail: (points) => change((before) => ({ ...before, points: mergeTrail(before.points, points) })),
    });
    void read();
    return () => {
      isOver = true;
      watch.close();
    };
  }, [http, realtime, alertId]);
  return trail !== undefined && trail.alertId === alertId ? trail : { points: nothing, error: undefined };
}

type ReadPoints = Awaited<ReturnType<HttpClient['getAlertTrail']>>['points'];

async function readTrail(
  http: Pick<HttpClient, 'getAlertTrail'>,
  alertId: string,
  take: (points: ReadPoints) => void,
): Promise<void> {
  let cursor: string | null = null;
  for (let page = 0; page < maxPages; page += 1) {
    const reply: Awaited<ReturnType<HttpClient['getAlertTrail']>> = await http.getAlertTrail(alertId, {
      limit: pageSize,
      ...(cursor !== null && { cursor }),
    });
    take(reply.points);
    cursor = reply.nextCursor;
    if (cursor === null) break;
  }
}
