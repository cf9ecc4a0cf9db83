import type { HttpClient } from '@hushryd/sdk/http/http-client';
import { HttpProblem } from '@hushryd/sdk/http/http-problem';

/** `ordered`: its node was told, and nobody can say whether there still was such a connection. `was-gone` is what was wanted. */
export type EndOutcome = 'ended' | 'ordered' | 'was-gone';

/** @throws HttpProblem where it is not known whether the connection has ended */
export async function endConnection(
  http: Pick<HttpClient, 'endConnection'>,
  { userId, connectionId }: { userId: string; connectionId: string },
): Promise<EndOutcome> {
  try {
    return await http.endConnection(userId, connectionId);
  } catch (error) {
    if (error instanceof HttpProblem && error.code === 'not_found') return 'was-gone';
    throw error;
  }
}

const words: Record<EndOutcome, string> = {
  ended: 'The connection was ended.',
  ordered: 'Its node was told to end the connection, but nobody knows of it any more: it had most likely ended.',
  'was-gone': 'The connection was gone already.',
};

export const describeOutcome = (outcome: EndOutcome): string => words[outcome];
