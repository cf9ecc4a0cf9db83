import tap from 'tap';
import { formatAccuracy, formatBattery, formatDistance, formatHeading, formatSpeed } from './format-motion.ts';

tap.test('figures carry their unit, and what is unknown is a dash', async (t) => {
  t.equal(formatSpeed(10), '36 km/h');
  t.equal(formatAccuracy(4.25), '± 4.3 m');
  t.equal(formatAccuracy(12.6), '± 13 m');
  t.equal(formatBattery(54.4), '54 %');
  t.equal(formatDistance(980), '980 m');
  t.equal(formatDistance(12_345), '12.3 km');
  for (const format of [formatSpeed, formatAccuracy, formatBattery, formatHeading]) t.equal(format(undefined), '–');
});

tap.test('headings have a wind and degrees', async (t) => {
  t.equal(formatHeading(0), 'N 0°');
  t.equal(formatHeading(47), 'NE 47°');
  t.equal(formatHeading(359.7), 'N 0°');
});
