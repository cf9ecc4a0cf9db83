import { test } from 'tap';
import { isSameFilter } from './same-filter.ts';

const porto = { south: 41.1, west: -8.7, north: 41.2, east: -8.5 };

test('filters are the same that ask for the same, however they are written', async (t) => {
  const { south, west, north, east } = porto;
  const same: Parameters<typeof isSameFilter>[] = [
    [undefined, {}],
    [{ bbox: porto }, { bbox: { east, north, west, south } }],
    [{ states: ['open', 'acknowledged'] }, { states: ['acknowledged', 'open', 'open'] }],
    [{ text: 'ROSA' }, { text: 'rosa' }],
    [
      { text: 'rosa', bbox: porto },
      { bbox: porto, text: 'rosa' },
    ],
  ];
  for (const [one, other] of same) t.ok(isSameFilter(one, other), JSON.stringify([one, other]));

  const different: Parameters<typeof isSameFilter>[] = [
    [undefined, { states: ['open'] }],
    [{ states: ['open'] }, { states: ['open', 'acknowledged'] }],
    [{ bbox: porto }, { bbox: { ...porto, east: -8.4 } }],
    [{ text: 'open' }, { states: ['open'] }],
    [{ text: 'rosa' }, { text: 'rosa', states: ['open'] }],
  ];
  for (const [one, other] of different) t.notOk(isSameFilter(one, other), JSON.stringify([one, other]));
});
