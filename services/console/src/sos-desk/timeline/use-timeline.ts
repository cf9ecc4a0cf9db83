import type { AlertFact } from '@hushryd/contracts/http/sos';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useBackend } from '../../data/backend.ts';
import type { ShownAlert } from '../alerts/use-alert.ts';

const pageSize = 1_000;
/** More than an alert of days has; the export has all. */
const maxPages = 5;

export interface TimelineFacts {
  /** In order; undefined before they were read. */
  facts: readonly AlertFact[] | undefined;
  /** Older ones that are not shown. */
  hiddenCount: number;
  error: unknown;
  isLoading: boolean;
  showAll: () => void;
}

/** The newest facts come with the alert; all of them when somebody asks. */
export function useTimeline({ alert, isLoading }: ShownAlert): TimelineFacts {
  const { http } = useBackend();
  const [wholeId, setWholeId] = useState<string>();
  const alertId = alert?.alertId ?? '';
  const isWhole = wholeId === alertId && alertId !== '';
  const all = useQuery({
    // Read again when there are more.
    queryKey: ['timeline', alertId, alert?.factCount],
    queryFn: () => readAll(alertId),
    enabled: isWhole,
    placeholderData: (before) => before,
  });
  const facts = (isWhole && all.data) || alert?.facts;

  async function readAll(id: string): Promise<AlertFact[]> {
    const found: AlertFact[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < maxPages; page += 1) {
      const reply: Awaited<ReturnType<typeof http.timelineOf>> = await http.timelineOf(id, {
        limit: pageSize,
        ...(cursor !== null && { cursor }),
      });
      found.push(...reply.facts);
      cursor = reply.nextCursor;
      if (cursor === null) break;
    }
    return found;
  }

  return {
    facts,
    hiddenCount: facts === undefined ? 0 : Math.max(0, (alert?.factCount ?? 0) - facts.length),
    error: all.error,
    isLoading: isLoading || (isWhole && all.isFetching),
    showAll: () => setWholeId(alertId),
  };
}
