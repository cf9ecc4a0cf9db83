import t from 'tap';
import { beaconTurnMs, createBeaconPace, createBeaconWheel } from './beacon-wheel.ts';

const createTopic = () => ({ beacon: createBeaconPace() });

t.test('a beacon comes two seconds after the last word, and again after longer and longer pauses', async (t) => {
  const wheel = createBeaconWheel<ReturnType<typeof createTopic>>();
  const topic = createTopic();
  wheel.add(topic);
  let nowMs = 0;
  const dueSeconds = (forSeconds: number) => {
    const due: number[] = [];
    const untilMs = nowMs + forSeconds * 1000;
    while (nowMs < untilMs) {
      nowMs += beaconTurnMs;
      if (wheel.turn().length > 0) due.push(nowMs / 1000);
    }
    return due;
  };

  t.strictSame(dueSeconds(60), [], 'a topic that never spoke has nothing to repeat');
  const spokeAt = nowMs / 1000;
  wheel.spoke(topic);
  const due = dueSeconds(300);
  const pauses = due.map((at, index) => at - (due[index - 1] ?? spokeAt));
  const [first, ...later] = pauses as [number, ...number[]];
  t.ok(first >= 1.5 && first <= 2, `the first after ${first} s`);
  t.strictSame(later, [6, 24, 60, 60, 60, 60]);

  wheel.spoke(topic);
  t.equal(
    dueSeconds(6).length,
    1,
    'who speaks begins again, and is repeated once in the six seconds between two fixes',
  );
  wheel.spoke(topic);
  t.equal(dueSeconds(8.5).length, 2);
  wheel.remove(topic);
  t.strictSame(dueSeconds(300), []);
});

t.test('topics that fall quiet together have their beacons one after another', async (t) => {
  const wheel = createBeaconWheel<ReturnType<typeof createTopic>>();
  const topics = Array.from({ length: 1000 }, createTopic);
  for (const topic of topics) wheel.add(topic);
  for (const topic of topics) wheel.spoke(topic);

  const perTurn = Array.from({ length: 2000 / beaconTurnMs }, () => wheel.turn().length);
  t.equal(Math.max(...perTurn), 50);
  t.equal(
    perTurn.reduce((sum, count) => sum + count),
    1000,
    'and each has its own within two seconds',
  );
});
