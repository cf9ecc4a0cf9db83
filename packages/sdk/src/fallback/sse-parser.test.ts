import fc from 'fast-check';
import { test } from 'tap';
import { createSseParser } from './sse-parser.ts';

function parse(pieces: readonly string[]) {
  const heard: (string | number)[] = [];
  const parser = createSseParser({ onData: (data) => heard.push(data), onRetry: (ms) => heard.push(ms) });
  for (const piece of pieces) parser.feed(piece);
  return heard;
}

test('data is what counts; comments, names, ids and strangers are passed over', async (t) => {
  t.same(
    parse([':\n\nretry: 2000\n\nevent: x\nid: e:1\ndata: one\n\ndata:two\ndata: 2\n\nfoo: bar\nretry: soon\n\n']),
    [2000, 'one', 'two\n2'],
  );
  t.same(parse(['data: not complete\n']), []);
});

test('a stream means the same wherever it is cut and however its lines end', async (t) => {
  const seed = Date.now();
  t.comment(`seed ${seed}`);
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ minLength: 1 }).filter((text) => !/[\r\n]/.test(text)),
        { maxLength: 5 },
      ),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.nat(40), { maxLength: 20 }),
      (texts, end, cuts) => {
        // After the last CR something has to come, or it may be half of an end.
        const whole = `${texts.map((text) => `data: ${text}${end}${end}`).join('')}:${end}${end}:`;
        const pieces: string[] = [];
        let at = 0;
        for (const cut of cuts) {
          pieces.push(whole.slice(at, at + cut));
          at += cut;
        }
        pieces.push(whole.slice(at));
        t.same(parse(pieces), texts);
      },
    ),
    { seed, numRuns: 300 },
  );
});

test('what is no event stream does not fill the memory', async (t) => {
  t.throws(() => parse(Array.from({ length: 30 }, () => 'x'.repeat(10_000))), RangeError);
  t.throws(() => parse(Array.from({ length: 30 }, () => `data: ${'x'.repeat(10_000)}\n`)), RangeError);
});
