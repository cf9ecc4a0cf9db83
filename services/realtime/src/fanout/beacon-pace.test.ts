import t from 'tap';
import { beaconEveryMs, createBeaconPace, noteSpoken, takeDue } from './beacon-pace.ts';

t.test('a beacon comes two seconds after the last word, and again after longer and longer pauses', async (t) => {
  const pace = createBeaconPace();
  const dueSeconds = (untilSeconds: number, fromSeconds = 0) => {
    const due: number[] = [];
    for (let tick = (fromSeconds * 1000) / beaconEveryMs; tick <= (untilSeconds * 1000) / beaconEveryMs; tick += 1) {
      if (takeDue(pace, tick)) due.push((tick * beaconEveryMs) / 1000);
    }
    return due;
  };

  t.strictSame(dueSeconds(60), [], 'a topic that never spoke has nothing to repeat');
  noteSpoken(pace, 0);
  noteSpoken(pace, 1);
  t.strictSame(dueSeconds(250), [2.5, 6.5, 14.5, 30.5, 62.5, 122.5, 182.5, 242.5]);
  noteSpoken(pace, 600);
  t.strictSame(dueSeconds(310, 300), [302, 306]);
});
