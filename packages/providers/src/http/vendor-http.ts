import { isCorrelationId } from '@hushryd/platform/errors/correlation-id';
import { Agent, request } from 'undici';
import { defaultDeadlineMs, type SendContext, type SendFailure } from '../provider.ts';
import { endAfter } from './end-after.ts';
import { toNetworkFailure } from './network-failure.ts';

export interface VendorRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface VendorAnswer {
  readonly kind: 'answered';
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface VendorHttp {
  /**
   * POST once: no retry, no redirect.
   *
   * @returns the answer whatever its status; a failure where none came within the deadline, was cut off or is larger than 64 KiB
   */
  post(
    request: VendorRequest,
    context: Pick<SendContext, 'signal' | 'deadlineMs' | 'correlationId'>,
  ): Promise<VendorAnswer | SendFailure>;
  close(): Promise<void>;
}

const maxAnswerBytes = 65_536;

/**
 * Connections to outside companies, kept open between calls.
 *
 * @param maxConnections to each company; more calls at once wait for one, within their deadline
 */
export function createVendorHttp({ maxConnections = 64 }: { maxConnections?: number } = {}): VendorHttp {
  // A connection that cannot be made must not use up more than half of a deadline of 3 s: the next provider waits.
  const agent = new Agent({ connections: maxConnections, connect: { timeout: 1_500 }, keepAliveTimeout: 30_000 });
  return {
    async post({ url, headers: own, body }, { signal, correlationId, deadlineMs = defaultDeadlineMs }) {
      // What could not be a header must not keep a message.
      const isKnown = correlationId !== undefined && isCorrelationId(correlationId);
      const headers = isKnown ? { ...own, 'x-request-id': correlationId } : own;
      const ending = endAfter(deadlineMs, signal);
      try {
        const answer = await request(url, { method: 'POST', headers, body, dispatcher: agent, signal: ending.signal });
        const text = await readText(answer.body);
        return { kind: 'answered', status: answer.statusCode, headers: answer.headers, body: text };
      } catch (error) {
        return toNetworkFailure(error, { isAborted: signal?.aborted ?? false, isLate: ending.isLate() });
      } finally {
        ending.release();
      }
    },
    close: () => agent.close(),
  };
}

/** @throws AnswerTooLargeError */
async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new AnswerTooLargeError();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

class AnswerTooLargeError extends Error {
  override readonly name = 'AnswerTooLargeError';
  readonly code = 'answer_too_large';
}
