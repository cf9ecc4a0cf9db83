import tap from 'tap';
import { deskHealthOf } from './desk-health.ts';

tap.test('the desk says which of its two ways it is without', async (t) => {
  const readError = new Error('no answer');
  t.equal(deskHealthOf({ link: 'live', readError: undefined }), 'live');
  t.equal(deskHealthOf({ link: 'behind', readError }), 'events-only');
  t.equal(deskHealthOf({ link: 'reconnecting', readError: undefined }), 'reading');
  t.equal(deskHealthOf({ link: 'degraded', readError: undefined }), 'reading');
  t.equal(deskHealthOf({ link: 'reconnecting', readError }), 'offline');
  t.equal(deskHealthOf({ link: 'offline', readError: undefined }), 'offline', 'whatever the last reading said');
  t.equal(deskHealthOf({ link: 'connecting', readError: undefined }), 'live', 'nothing is wrong yet');
});
