import t from 'tap';
import { findFilterProblem, readFilterQuery, writeFilterQuery } from './filter-query.ts';

const known = ['open', 'acknowledged', 'resolved'];

t.test('a filter goes through a query unchanged', async (t) => {
  const filters = [
    {},
    { text: 'A, b' },
    { states: ['open', 'resolved'] },
    { bbox: { south: -20, west: 170.5, north: 20, east: -170 }, states: ['open'], text: 'x' },
  ];
  for (const filter of filters) t.strictSame(readFilterQuery(writeFilterQuery(filter), known), { filter });
  t.strictSame(readFilterQuery({ states: 'open,open' }, known), { filter: { states: ['open'] } });
});

t.test('what nothing could fit is refused, with the parameter and what to send instead', async (t) => {
  const table: [Parameters<typeof readFilterQuery>[0], RegExp][] = [
    [{ bbox: '1,2,3' }, /^bbox: send four numbers .*west,south,east,north/],
    [{ bbox: '1,2,3,' }, /^bbox: send four/],
    [{ bbox: '1,2,3,NaN' }, /^bbox: send four/],
    [{ bbox: '1,2,3,Infinity' }, /^bbox: send four/],
    [{ bbox: '-181,0,1,1' }, /^bbox: send west and east from -180/],
    [{ bbox: '0,0,1,91' }, /^bbox: send south and north from -90/],
    [{ bbox: '0,2,1,1' }, /^bbox: south lies above north/],
    [{ states: 'opened' }, /^states: send some of open, acknowledged, resolved$/],
    [{ states: 'open,' }, /^states: send some/],
    [{ states: '' }, /^states: send some/],
  ];
  for (const [query, problem] of table) t.match(readFilterQuery(query, known), { problem }, JSON.stringify(query));
});

t.test('the filter of a topic is held to the same', async (t) => {
  t.match(findFilterProblem({ bbox: { south: 2, west: 0, north: 1, east: 1 } }, known), /^bbox: south/);
  t.match(findFilterProblem({ states: ['open', 'opened'] }, known), /^states: send/);
  t.equal(findFilterProblem({ bbox: { south: 1, west: 1, north: 2, east: 0 }, states: ['open'] }, known), undefined);
  t.equal(findFilterProblem({ text: 'x' }, known), undefined);
});
