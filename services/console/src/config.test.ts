import tap from 'tap';
import { readConfig } from './config.ts';

const given = { apiUrl: 'http://127.0.0.1:5000/', realtimeUrl: 'ws://127.0.0.1:5001', tokenUrl: '/dev/token' };

tap.test('what may be left out has a default', async (t) => {
  t.same(readConfig(given), {
    ...given,
    apiUrl: 'http://127.0.0.1:5000',
    streetsUrl: null,
    mapStyleUrl: null,
    reportingIntervalMs: 1000,
    simulation: null,
  });
});

tap.test('what is missing or odd is named', async (t) => {
  t.throws(() => readConfig({ ...given, apiUrl: '' }), { message: /apiUrl is missing/ });
  t.throws(() => readConfig({ ...given, reportingIntervalMs: 0 }), { message: /reportingIntervalMs must be/ });
  t.throws(() => readConfig({ ...given, mapStyleUrl: 'tiles.example.com' }), {
    message: /mapStyleUrl is "tiles\.example\.com"; it must be an http\(s\) address/,
  });
  t.equal(readConfig({ ...given, mapStyleUrl: '' }).mapStyleUrl, null, 'empty is left out');
  t.throws(() => readConfig(null), { message: /must hold an object/ });
});
