import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import tap from 'tap';
import { createMapScope } from './map-scope.ts';

const porto = { south: 41, west: -8.7, north: 41.2, east: -8.5 };
const lisbon = { south: 38.6, west: -9.3, north: 38.9, east: -9 };

function create() {
  const asked: (TopicFilter | undefined)[] = [];
  return { asked, scope: createMapScope((filter) => asked.push(filter)) };
}

tap.test('a small fleet is watched whole, and a drag asks nothing', async (t) => {
  const { asked, scope } = create();
  scope.look(porto);
  scope.told(1000);
  scope.look(lisbon);

  t.strictSame(asked, [undefined]);
  t.equal(scope.isWhole, true);
});

tap.test('a large fleet is watched through the window of the map', async (t) => {
  const { asked, scope } = create();
  scope.told(40_000);
  scope.look(porto);
  scope.look(porto);
  scope.look(lisbon);
  scope.told(3);

  t.strictSame(asked, [{ bbox: porto }, { bbox: lisbon }]);
  t.equal(scope.isWhole, false);
});

tap.test('a fleet that grows is watched through the window from then on', async (t) => {
  const { asked, scope } = create();
  scope.look(porto);
  scope.told(900);
  scope.told(1001);

  t.strictSame(asked, [undefined, { bbox: porto }]);
});

tap.test('a choice is looked for in the whole fleet first, and may turn out small', async (t) => {
  const { asked, scope } = create();
  scope.look(porto);
  scope.told(40_000);
  scope.choose({ states: ['on_trip'], text: 'taxi' });
  scope.told(12);
  scope.look(lisbon);
  t.strictSame(asked, [{ bbox: porto }, { states: ['on_trip'], text: 'taxi' }]);
  t.strictSame([scope.isWhole, scope.isNarrowed], [true, true]);

  scope.choose({ states: [], text: '' });
  scope.told(40_000);
  t.strictSame(asked.slice(2), [{}, { bbox: lisbon }]);
});

tap.test('the whole of a large fleet comes until the map moves', async (t) => {
  const { asked, scope } = create();
  scope.look(porto);
  scope.told(40_000);
  scope.widen();
  scope.told(40_000);
  scope.look(lisbon);

  t.strictSame(asked, [{ bbox: porto }, {}, { bbox: lisbon }]);
});
