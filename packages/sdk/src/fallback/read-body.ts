import type { ResponseLike } from '../http/fetch.ts';

interface Reader {
  read(): Promise<{ done: boolean; value?: unknown }>;
}

interface Decoder {
  decode(bytes: unknown, options: { stream: boolean }): string;
}

/**
 * A body piece by piece, as text.
 *
 * @returns undefined where this runtime gives a body only when it is complete, as React Native's `fetch` does
 */
export function readBody({ body }: ResponseLike): AsyncGenerator<string> | undefined {
  const { TextDecoder } = globalThis as unknown as { TextDecoder?: new () => Decoder };
  const { getReader } = (body ?? {}) as { getReader?: () => Reader };
  if (TextDecoder === undefined || getReader === undefined) return undefined;
  return readPieces(getReader.call(body), new TextDecoder());
}

async function* readPieces(reader: Reader, decoder: Decoder): AsyncGenerator<string> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}
