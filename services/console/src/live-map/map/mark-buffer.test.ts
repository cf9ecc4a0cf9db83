import tap from 'tap';
import { createMarkBuffer, floatsPerMark, markShapes } from './mark-buffer.ts';

const mark = { x: 0.5, y: 0.25, shape: 'arrow' as const, colour: 'onTrip' as const, radiusPixels: 9, opacity: 1 };

tap.test('places are relative to the anchor, headings are radians', async (t) => {
  const buffer = createMarkBuffer(10);
  buffer.restart({ x: 0.5, y: 0.2 });

  buffer.add({ ...mark, shape: 'ring', headingDegrees: 90, opacity: 0.5 });

  const [x, y, radius, rotation, shape, colour, opacity] = buffer.floats;
  t.equal(x, 0);
  t.equal(y, Math.fround(0.05));
  t.same([radius, shape, colour, opacity], [9, markShapes.ring, 1, 0.5]);
  t.equal(rotation, Math.fround(Math.PI / 2));
});

tap.test('the buffer grows to its limit and counts what does not fit', async (t) => {
  const buffer = createMarkBuffer(3000);
  buffer.restart({ x: 0, y: 0 });
  for (let index = 0; index < 3005; index += 1) buffer.add({ ...mark, radiusPixels: index });

  t.equal(buffer.count, 3000);
  t.equal(buffer.overflowCount, 5);
  t.equal(buffer.floats[2999 * floatsPerMark + 2], 2999, 'what was there before growing is kept');

  buffer.restart({ x: 0, y: 0 });
  t.equal(buffer.count + buffer.overflowCount, 0);
});

tap.test('near the anchor a centimetre still counts', async (t) => {
  const buffer = createMarkBuffer(2);
  const centimetre = 0.01 / 40_075_016;
  buffer.restart({ x: 0.476, y: 0.373 });

  buffer.add({ ...mark, x: 0.476 + 0.0001, y: 0.373 });
  buffer.add({ ...mark, x: 0.476 + 0.0001 + centimetre, y: 0.373 });

  t.ok((buffer.floats[floatsPerMark] ?? 0) > (buffer.floats[0] ?? 0));
});
