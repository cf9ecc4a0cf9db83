import fc from 'fast-check';
import tap from 'tap';
import { ageClassOf, opacityAt } from './fix-age.ts';

tap.test('fix age has three classes with their edges at 15 s and 60 s', async (t) => {
  t.equal(ageClassOf(0), 'fresh');
  t.equal(ageClassOf(15_000), 'fresh');
  t.equal(ageClassOf(15_001), 'pale');
  t.equal(ageClassOf(60_000), 'pale');
  t.equal(ageClassOf(60_001), 'silent');
});

tap.test('an older fix is never drawn stronger, until it turns into the silent square', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 0, max: 60_000 }), (one, other) => {
      t.ok(opacityAt(Math.min(one, other)) >= opacityAt(Math.max(one, other)));
    }),
  );
  t.ok(opacityAt(15_001) < opacityAt(15_000), 'paling is a visible step');
});
