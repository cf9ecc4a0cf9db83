import fc from 'fast-check';
import t from 'tap';
import { sealFactText } from '../alerts/fact-text.ts';
import { canonicalJson } from './canonical-json.ts';
import { chainFacts, emptyHead, hashFact } from './chain-facts.ts';
import { exportTimeline } from './export-timeline.ts';
import type { SealedFact } from './timeline-document.ts';

/** The program for people outside, which knows nothing of this code. */
const { verify } = (await import(new URL('../../verify-timeline.mjs', import.meta.url).href)) as {
  verify(timeline: ExportedFile, knownHead?: string): string[];
};

interface ExportedFile {
  facts: Record<string, unknown>[];
  head: string;
  count: number;
  [field: string]: unknown;
}

const seed = Date.now() % 2 ** 31;
t.comment(`fast-check seed ${seed}`);

const sealer = {
  seal: (text: string) => `sealed(${text})`,
  open(sealed: string) {
    if (sealed === '') throw new Error('the key is gone');
    return sealed.slice(7, -1);
  },
};
const personId = 'rider-1';

/** Facts as the product makes them, and odder ones. */
const fact = fc
  .record(
    {
      at: fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
      kind: fc.constantFrom('raised', 'note', 'sent', 'receipt'),
      by: fc.string({ minLength: 1 }),
      note: fc.string({ unit: 'binary' }),
      data: fc.dictionary(
        fc.string().filter((name) => name !== '__proto__'),
        fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown>,
      ),
    },
    { requiredKeys: ['at', 'kind'] },
  )
  .map(({ note, ...rest }) => ({
    ...rest,
    ...(note !== undefined && { text: sealFactText(sealer, note, { personId }) }),
  }));
const facts = fc
  .array(fact, { minLength: 3, maxLength: 8 })
  .map((list) => list.map((one, index) => ({ ...one, factId: `fact-${index}` })));

async function toFile(rows: SealedFact[]): Promise<ExportedFile> {
  const store = {
    read: async ({ afterSeq, limit }: { afterSeq: number; limit: number }) => rows.slice(afterSeq, afterSeq + limit),
  };
  const { seq, hash } = rows.at(-1) as SealedFact;
  const alert = { alertId: 'alert-1', state: 'open', version: 1 } as never;
  const head = { seq, hash };
  let text = '';
  for await (const part of exportTimeline(store, { alert, personId, head, by: 'olga', at: new Date(), sealer }))
    text += part;
  return JSON.parse(text) as ExportedFile;
}

t.test('whoever chains the same facts gets the same chain, in whatever portions', async () => {
  fc.assert(
    fc.property(facts, fc.array(fc.integer({ min: 1, max: 4 })), (list, portions) => {
      const whole = chainFacts('alert-1', emptyHead, list);
      let rest = list;
      let head = emptyHead;
      const parts: SealedFact[] = [];
      for (const size of [...portions, list.length]) {
        const rows = chainFacts('alert-1', head, rest.slice(0, size));
        parts.push(...rows);
        head = rows.at(-1) ?? head;
        rest = rest.slice(size);
      }
      return JSON.stringify(parts) === JSON.stringify(whole);
    }),
    { seed, numRuns: 50 },
  );
});

t.test('the file is good for the program outside, and any change of it is found out', async () => {
  await fc.assert(
    fc.asyncProperty(facts, fc.nat(), fc.nat(), async (list, first, second) => {
      const file = await toFile(chainFacts('alert-1', emptyHead, list));
      const problems = verify(file);
      if (problems.length > 0) throw new Error(`the good file: ${problems.join()}`);

      const at = first % file.facts.length;
      const other = (at + 1 + (second % (file.facts.length - 1))) % file.facts.length;
      for (const [name, broken] of Object.entries(breakIn(file, at, other))) {
        if (JSON.stringify(broken) === JSON.stringify(file)) continue;
        const found = verify(broken);
        const where = name.startsWith('header') ? /^header/ : /^(fact|end)/;
        if (!found.some((line) => where.test(line)))
          throw new Error(`${name} at ${at} was not found out: ${found.join()}`);
      }
    }),
    { seed, numRuns: 50 },
  );
});

function breakIn(file: ExportedFile, at: number, other: number): Record<string, ExportedFile> {
  const copy = () => structuredClone(file);
  const withFacts = (change: (facts: Record<string, unknown>[]) => void): ExportedFile => {
    const changed = copy();
    change(changed.facts);
    return changed;
  };
  const one = file.facts[at] as Record<string, unknown>;
  return {
    'a changed time': withFacts((list) => Object.assign(list[at] ?? {}, { at: '2026-01-01T00:00:00.001Z' })),
    'a changed author': withFacts((list) => Object.assign(list[at] ?? {}, { by: `${one.by ?? ''}!` })),
    'an added field': withFacts((list) => Object.assign(list[at] ?? {}, { more: 1 })),
    'a changed text': withFacts((list) =>
      Object.assign(list[at] ?? {}, { text: `${one.text ?? ''}!`, salt: one.salt ?? '' }),
    ),
    'a changed fact, hashed anew': withFacts((list) => {
      list[at] = hashAnew({ ...one, kind: 'forged' }, file.alertId);
    }),
    'a dropped fact': withFacts((list) => list.splice(at, 1)),
    'a doubled fact': withFacts((list) => list.splice(other, 0, one)),
    'two facts in another order': withFacts((list) => {
      [list[at], list[other]] = [list[other] ?? {}, list[at] ?? {}];
    }),
    'a fact of one’s own': withFacts((list) => list.splice(at, 0, { ...one, factId: 'mine' })),
    'header: another time of the export': { ...copy(), exportedAt: '2026-01-01T00:00:00.001Z' },
    'header: another alert': { ...copy(), alertId: 'alert-2' },
    'header: another state': { ...copy(), alert: { ...(file.alert as object), state: 'resolved' } },
  };
}

/** As somebody would who knows how it is done, and has not the facts that follow. */
function hashAnew({ hash: _, text, salt, ...content }: Record<string, unknown>, alertId: unknown) {
  return { ...content, hash: hashFact({ ...content, alertId } as never), text, salt };
}

t.test('a chain that was written anew as a whole is found out by the head from elsewhere', async (t) => {
  const list = ['raised', 'note', 'resolved'].map((kind) => ({ factId: kind, kind, at: new Date(1) }));
  const file = await toFile(chainFacts('alert-1', emptyHead, list));
  const forged = await toFile(chainFacts('alert-1', emptyHead, list.toSpliced(1, 1)));

  t.strictSame(verify(forged), []);
  t.match(verify(forged, file.head), [/the head is .*, not/]);
  t.strictSame(verify(file, file.head.toUpperCase()), []);
});

t.test('a text whose key is gone is left out, and the file is good without it', async (t) => {
  const text = sealFactText(sealer, 'red car', { personId });
  const rows = chainFacts('alert-1', emptyHead, [{ factId: 'note', kind: 'note', at: new Date(1), text }]);
  const lost = rows.map((row) => ({ ...row, text: { ...text, sealed: '' } }));

  t.match((await toFile(rows)).facts, [{ text: 'red car', textDigest: text.digest }]);
  const file = await toFile(lost);
  t.strictSame(verify(file), []);
  t.notMatch(JSON.stringify(file), /red car/);
});

t.test('a fact that is told twice stands there once, and the second telling says so', (t) => {
  const list = ['sent', 'receipt', 'sent'].map((factId) => ({ factId, kind: factId, at: new Date(1) }));

  const rows = chainFacts('alert-1', emptyHead, list);

  t.match(rows[2], { _id: 'alert-1:sent~3', seq: 3, kind: 'repeated', data: { factId: 'sent' } });
  const later = chainFacts(
    'alert-1',
    rows[1] ?? emptyHead,
    list.slice(2),
    (id) => rows.find(({ _id }) => _id === id)?.seq,
  );
  t.strictSame(later, rows.slice(2));
  t.end();
});

t.test('JSON in one spelling', (t) => {
  t.equal(
    canonicalJson({
      b: [1, 'ü\u2028"', null, undefined],
      a: { d: new Date(0), c: 1e21 },
      é: undefined,
      '\ud83d\ude00': 0,
      '\ufb33': 1,
    }),
    '{"a":{"c":1e+21,"d":"1970-01-01T00:00:00.000Z"},"b":[1,"ü\u2028\\"",null,null],"\ud83d\ude00":0,"\ufb33":1}',
  );
  t.end();
});
