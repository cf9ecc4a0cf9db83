import { AppError } from '@hushryd/platform/errors/app-error';
import type { onRequestHookHandler } from 'fastify';

/** Answers 406 where a route produces nothing that the request accepts. */
export function createAcceptCheck(produces: readonly string[] = ['application/json']): onRequestHookHandler {
  return (request, _reply, done) => {
    const { accept } = request.headers;
    // What nearly everybody sends needs no parsing.
    if (
      accept !== undefined &&
      accept !== '*/*' &&
      accept !== produces[0] &&
      pickMediaType(accept, produces) === undefined
    ) {
      throw new AppError('not_acceptable', { detail: `this resource comes as ${produces.join(', ')}` });
    }
    done();
  };
}

/**
 * The media type to answer with (RFC 9110 §12.5.1): the one with the highest weight, on a tie the one named first in `produces`.
 *
 * @returns undefined where nothing is acceptable
 */
export function pickMediaType(accept: string, produces: readonly string[]): string | undefined {
  const ranges = accept.split(',').map(parseRange);
  let best: { type: string; weight: number } | undefined;
  for (const type of produces) {
    const weight = weightOf(type, ranges);
    if (weight > (best?.weight ?? 0)) best = { type, weight };
  }
  return best?.type;
}

interface MediaRange {
  type: string;
  weight: number;
}

function parseRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = q === undefined ? 1 : Number(q.slice(2));
  return { type, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}

/** The most specific range that covers the type decides: `text/csv` before `text/*` before everything. */
function weightOf(type: string, ranges: readonly MediaRange[]): number {
  const group = `${type.slice(0, type.indexOf('/'))}/*`;
  for (const wanted of [type, group, '*/*']) {
    const range = ranges.find((candidate) => candidate.type === wanted);
    if (range !== undefined) return range.weight;
  }
  return 0;
}
