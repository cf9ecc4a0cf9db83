import tap from 'tap';
import { takeOneTimeCode } from './one-time-code.ts';

tap.test('a one-time code is taken out of the fragment', async (t) => {
  t.same(takeOneTimeCode('#code=abc-123'), { code: 'abc-123', fragment: '' });
  t.same(takeOneTimeCode('#code=abc&to=/map?trip=t1'), { code: 'abc', fragment: '#/map?trip=t1' });
});

tap.test('a place in the console is not a code', async (t) => {
  t.same(takeOneTimeCode('#/map?code=abc'), { code: undefined, fragment: '#/map?code=abc' });
  t.same(takeOneTimeCode(''), { code: undefined, fragment: '' });
  t.same(takeOneTimeCode('#other=1'), { code: undefined, fragment: '#other=1' });
});

tap.test('an empty code is no code, and still leaves the address bar', async (t) => {
  t.same(takeOneTimeCode('#code='), { code: undefined, fragment: '' });
});

tap.test('a code cannot lead to another site', async (t) => {
  t.equal(takeOneTimeCode('#code=abc&to=https://elsewhere.example').fragment, '');
});
