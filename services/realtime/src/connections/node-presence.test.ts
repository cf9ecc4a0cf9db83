import type { NodeStats } from '@hushryd/contracts/http/realtime';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import t from 'tap';
import { createNodePresence } from './node-presence.ts';

/** A Redis that the test takes away and empties, and a node on it. */
function createStage() {
  const state = { knows: true, isAway: false, isSlotAway: false, restored: 0 };
  const presence = createNodePresence({
    nodes: {
      async say() {
        const isNew = !state.knows;
        state.knows = true;
        // The lease was renewed, and what was to be said beside it was not.
        if (state.isAway) throw new Error('away');
        return isNew;
      },
      alive: async () => new Set(['node-1', 'node-2']),
    },
    leases: {
      async restore() {
        if (state.isSlotAway) throw new Error('a slot is away');
        state.restored += 1;
      },
    },
    stats: () => ({}) as NodeStats,
    log: createLogger({ service: 'test', instanceId: 'test', level: 'silent' }),
  });
  return { state, presence };
}

t.test('leases are written again where Redis does not know the node, once', async (t) => {
  const { state, presence } = createStage();
  await presence.say();
  t.equal(state.restored, 0, 'nothing is lost');

  state.knows = false;
  await presence.say();
  await presence.say();

  t.equal(state.restored, 1);
  t.equal(presence.aliveNodes, 2);
});

t.test('leases that could not all be written are written the next time', async (t) => {
  const { state, presence } = createStage();
  state.knows = false;
  state.isSlotAway = true;
  await t.rejects(presence.say(), /a slot is away/);

  state.isSlotAway = false;
  await presence.say();

  t.equal(state.restored, 1);
});

t.test('where the node renewed its lease and did not hear the answer, leases are written too', async (t) => {
  const { state, presence } = createStage();
  state.knows = false;
  state.isAway = true;
  await t.rejects(presence.say(), /away/);

  state.isAway = false;
  await presence.say();

  t.equal(state.restored, 1);
});

t.test('when Redis is back, leases are written at once, or with the next word', async (t) => {
  const { state, presence } = createStage();
  presence.redisIsBack();
  t.equal(state.restored, 1);

  state.isSlotAway = true;
  presence.redisIsBack();
  await t.rejects(presence.say(), /a slot is away/);
  state.isSlotAway = false;
  await presence.say();

  t.equal(state.restored, 2);
});

t.test('what is lost while leases are written is written after them', async (t) => {
  const { state, presence } = createStage();
  presence.redisIsBack();
  presence.redisIsBack();
  await presence.say();

  t.equal(state.restored, 2);
});
