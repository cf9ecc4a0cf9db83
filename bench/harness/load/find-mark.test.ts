import t from 'tap';
import { findMark } from './find-mark.ts';

t.test('a mark is found in its frame, and not behind it', async (t) => {
  const mark = Buffer.from('"seq":');
  const buffer = Buffer.from('{"seq":1}{"run":2}{"""seq":3}');
  t.equal(findMark(buffer, mark, 0, 9), 1);
  t.equal(findMark(buffer, mark, 9, 18), -1, 'the next frame has it');
  t.equal(findMark(buffer, mark, 18, buffer.length), 21, 'it begins anew after what looked like it');
  t.equal(findMark(buffer, mark, 18, 26), -1, 'cut by the end of the frame');
});
