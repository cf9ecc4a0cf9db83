import fc from 'fast-check';
import t from 'tap';
import { countedFixesOf, type FixSchedule, fixOf, isCounted, ownFix, seqOf } from '../load/fix-schedule.ts';
import { createHearing } from '../load/hearing.ts';
import { firstSeq } from '../load/loc-frame.ts';
import { parseFilesLimit } from '../processes/files-limit.ts';
import { type CrowdPlan, planCrowd, socketsOf, sourceAddress } from './plan-crowd.ts';

const seed = Date.now() & 0x7fff_ffff;
t.comment(`fast-check seed ${seed}`);

const schedule = (changes: Partial<FixSchedule> = {}): FixSchedule => ({
  startAtMs: 0,
  fixesPerSecond: 100,
  drivers: 4,
  fromFix: 4,
  toFix: 16,
  seq: firstSeq,
  ...changes,
});

t.test(
  'a crowd is spread so that no process opens more files than it may, and every socket is there once',
  async (t) => {
    const property = fc.property(
      fc.integer({ min: 1, max: 60_000 }),
      fc.constantFrom(4_096, 20_000, 1_048_576, Number.POSITIVE_INFINITY),
      (trips, filesLimit) => {
        const plan = planCrowd({ trips, filesLimit });

        t.strictSame(faultsOf(plan, { trips, filesLimit }), []);
      },
    );
    fc.assert(property, { numRuns: 40, seed });

    const { servers, generators } = planCrowd({ trips: 50_000, filesLimit: 20_000 });
    t.strictSame([servers, generators.length], [6, 6], '100,000 sockets where a process may open 20,000 files');
    t.throws(() => planCrowd({ trips: 10, filesLimit: 1_000 }), /raise the limit/);
  },
);

t.test('what looks at a spread notices a socket too few and a process too full', async (t) => {
  const plan = planCrowd({ trips: 20_000, filesLimit: 20_000 });
  (plan.generators[0]!.servers[0]!.riders as number[]).pop();

  t.strictSame(faultsOf(plan, { trips: 20_000, filesLimit: 20_000 }), ['19999 riders of 20000']);
  t.match(faultsOf(plan, { trips: 20_000, filesLimit: 12_000 }), [/opens \d+ files/]);
});

function faultsOf({ generators, servers }: CrowdPlan, { trips, filesLimit }: { trips: number; filesLimit: number }) {
  const faults: string[] = [];
  const perServer = new Array<number>(servers).fill(0);
  const phoneAt = new Map<number, number>();
  const riderAt = new Map<number, number>();
  for (const generator of generators) {
    const sockets = socketsOf(generator);
    if (sockets >= Math.min(filesLimit, 20_000)) faults.push(`a generator opens ${sockets} files`);
    for (const [server, { phones, riders }] of generator.servers.entries()) {
      perServer[server]! += phones.length + riders.length;
      for (const trip of phones) phoneAt.set(trip, server);
      for (const trip of riders) riderAt.set(trip, server);
    }
  }
  for (const sockets of perServer) {
    if (sockets > 17_002 || sockets >= filesLimit) faults.push(`a server opens ${sockets} files`);
  }
  if (phoneAt.size !== trips) faults.push(`${phoneAt.size} phones of ${trips}`);
  if (riderAt.size !== trips) faults.push(`${riderAt.size} riders of ${trips}`);
  const together = [...phoneAt].filter(([trip, server]) => riderAt.get(trip) === server);
  if (servers > 1 && together.length > 0) faults.push(`${together.length} riders on their phone's server`);
  return faults;
}

t.test('every part of a generator has an address of its own, within 127.0.0.0/8', async (t) => {
  const all = [0, 1, 5].flatMap((generator) => [0, 1, 249].map((part) => sourceAddress({ generator, part })));

  t.equal(new Set(all).size, all.length);
  for (const address of all) t.match(address, /^127\.0\.\d{1,3}\.\d{1,3}$/);
  t.throws(() => sourceAddress({ generator: 0, part: 250 }), RangeError);
});

t.test('the limit of open files is read as the system writes it', async (t) => {
  const limits = (soft: string) =>
    `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}   1048576   files \n`;

  t.equal(parseFilesLimit(limits('20000')), 20_000);
  t.equal(parseFilesLimit(limits('unlimited')), Number.POSITIVE_INFINITY);
  t.equal(parseFilesLimit('nothing of the kind'), 1_024);
});

t.test('several senders together send each fix of a schedule once, each in order of time', async (t) => {
  const property = fc.property(
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 7 }),
    fc.integer({ min: 1, max: 300 }),
    (drivers, senders, toFix) => {
      const plan = schedule({ drivers, toFix });
      const sent: number[] = [];
      for (let sender = 0; sender < Math.min(senders, drivers); sender += 1) {
        const own = Array.from({ length: drivers }, (_, driver) => driver).filter((d) => d % senders === sender);
        let last = -1;
        for (let nth = 0; ; nth += 1) {
          const fix = ownFix(plan, own, nth);
          if (fix >= toFix) break;
          t.ok(fix > last);
          last = fix;
          sent.push(fix);
        }
      }
      t.strictSame(
        sent.sort((a, b) => a - b),
        Array.from({ length: toFix }, (_, fix) => fix),
      );
    },
  );
  fc.assert(property, { numRuns: 100, seed });
});

t.test('as many fixes of a driver are due as are counted', async (t) => {
  const property = fc.property(
    fc.integer({ min: 1, max: 30 }),
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: 0, max: 200 }),
    (drivers, fromFix, counted) => {
      const plan = schedule({ drivers, fromFix, toFix: fromFix + counted });
      for (let driver = 0; driver < drivers; driver += 1) {
        let due = 0;
        for (let fix = driver; fix < plan.toFix; fix += drivers) due += isCounted(plan, fix) ? 1 : 0;
        t.equal(countedFixesOf(plan, driver), due);
      }
    },
  );
  fc.assert(property, { numRuns: 100, seed });
});

/** Everybody hears every fix, but as `deliver` has it: how often this one comes. */
function hearAll(deliver: (listener: number, fix: number) => number) {
  const plan = schedule();
  const drivers = [0, 1, 2, 3, 3, undefined];
  const hearing = createHearing(plan, drivers);
  for (let fix = 0; fix < plan.toFix; fix += 1) {
    for (const [listener, driver] of drivers.entries()) {
      if (driver === undefined || fixOf(plan, driver, seqOf(plan, fix)) !== fix) continue;
      for (let time = 0; time < deliver(listener, fix); time += 1) hearing.note(listener, fix);
    }
  }
  return hearing.outcome();
}

t.test('nobody is silent and nothing is missing where every listener heard every counted fix', async (t) => {
  t.strictSame(
    hearAll(() => 1),
    { heard: 15, missing: 0, silent: 0 },
  );
});

t.test('a listener that heard nothing is silent, also where its neighbour heard everything', async (t) => {
  t.strictSame(
    hearAll((listener) => (listener === 4 ? 0 : 1)),
    { heard: 12, missing: 3, silent: 1 },
  );
});

t.test('a frame that came twice does not hide one that never came', async (t) => {
  t.strictSame(
    hearAll((listener, fix) => {
      if (listener !== 0) return 1;
      return fix === 8 ? 0 : 2;
    }),
    { heard: 14, missing: 1, silent: 0 },
  );
});

t.test('what was heard before the counted part does not keep a listener from being silent', async (t) => {
  t.strictSame(
    hearAll((_, fix) => (fix < 4 ? 1 : 0)),
    { heard: 0, missing: 15, silent: 5 },
  );
});
