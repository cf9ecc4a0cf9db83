import { test } from 'tap';
import { createFakeSockets } from '../test/support/fake-socket.ts';
import { createFakeStreams } from '../test/support/fake-streams.ts';
import { createManualRuntime } from '../test/support/manual-runtime.ts';
import { createConsoleClient } from './console-client.ts';

test('after an outage of all realtime nodes, however long, an operator hears alerts again within seconds', async (t) => {
  const runtime = createManualRuntime({ random: () => 0.999 });
  const sockets = createFakeSockets(runtime.now);
  let isAway = false;
  sockets.onOpen = (socket) => void (isAway && Promise.resolve().then(() => socket.close(1006)));
  const api = createFakeStreams();
  const operator = createConsoleClient({
    realtimeUrl: 'ws://realtime.example',
    apiUrl: 'http://api.example',
    getToken: () => 'token',
    createSocket: sockets.createSocket,
    fetch: api.fetch,
    ...runtime,
  });
  const states = new Set<string>();
  operator.on('state', (state) => states.add(state.name === 'live' ? state.transport : state.name));
  operator.watchAlerts({});
  void operator.connect();
  await runtime.settle();
  sockets.last.ready();

  isAway = true;
  sockets.last.close(1006);
  await runtime.advance(600_000);
  t.match(operator.state, { name: 'reconnecting' }, 'the api answers, and has no alerts');
  isAway = false;
  const before = sockets.all.length;
  await runtime.advance(10_000);
  t.equal(sockets.all.length, before + 1);
  sockets.last.ready();
  await runtime.settle();
  t.match(sockets.last.sentOf('sub'), [{ topic: 'admin:sos' }]);
  t.strictSame([...states].sort(), ['connecting', 'reconnecting', 'websocket']);
  operator.close();
});
