import { jsonSubprotocol } from '@hushryd/contracts/realtime/limits';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { WebSocket } from 'ws';
import { startTestRealtime } from './start-realtime.ts';

/** The least that uWS can; a socket ends after 4 to 8 s. */
const env = { IDLE_TIMEOUT_SECONDS: '8' };

t.test('who listens and answers pings stays; who answers nothing is cut', async (t) => {
  const node = await startTestRealtime(t, { env });
  const open = (autoPong: boolean) => {
    const headers = { authorization: `Bearer ${node.issuer.token('rider-1', 'rider')}` };
    const ws = new WebSocket(node.url, jsonSubprotocol, { headers, autoPong });
    t.teardown(() => ws.terminate());
    let pings = 0;
    ws.on('ping', () => {
      pings += 1;
    });
    const ended = new Promise<number>((resolve) => ws.once('close', resolve));
    return { ws, ended, pings: () => pings };
  };
  const living = open(true);
  const mute = open(false);

  t.equal(await within(mute.ended, { withinMs: 20_000, what: 'the end of the mute socket' }), 1006);
  await waitFor(() => living.pings() >= 6, { withinMs: 30_000, what: 'the sixth ping' });
  t.equal(living.ws.readyState, WebSocket.OPEN);
});
