import t from 'tap';
import { acknowledgeKey, answerKeys, type KeyOutcome } from './answer-keys.ts';

const pressed = (digits: string, timesAsked = 1, language = 'en-IN') => ({ digits, timesAsked, language });
const outcomes: (KeyOutcome | boolean | undefined)[] = ['acknowledged', 'taken', 'other-key', true, false, undefined];

t.test('nobody is thanked for a key that did nothing', async (t) => {
  for (const outcome of ['other-key', undefined] as const) {
    t.match(answerKeys(pressed('9'), outcome), {
      sayText: /not acknowledged\. Press 1/,
      again: { silenceText: /not/ },
    });
  }
  t.match(answerKeys(pressed(acknowledgeKey), false), { sayText: /not acknowledged/, again: undefined });
});

t.test('another key is asked for three times, and then no more', async (t) => {
  t.ok(answerKeys(pressed('9', 2), 'other-key').again);
  t.strictSame(answerKeys(pressed('9', 3), 'other-key'), { sayText: 'The alert is not acknowledged. Goodbye.' });
});

t.test('whoever acknowledges, or comes too late, hears so, and a key that is only kept claims no more', async (t) => {
  t.match(answerKeys(pressed(acknowledgeKey), 'acknowledged'), { sayText: /is acknowledged/ });
  for (const key of [acknowledgeKey, '9']) t.match(answerKeys(pressed(key), 'taken'), { sayText: /takes care/ });
  t.match(answerKeys(pressed(acknowledgeKey), undefined), { sayText: /has been received/ });
});

t.test('in the language of the call', async (t) => {
  for (const outcome of outcomes) t.match(answerKeys(pressed('9', 1, 'hi-IN'), outcome).sayText, /[\u0900-\u097f]/);
  t.notMatch(answerKeys(pressed('9', 1, 'fr-FR'), 'other-key').sayText, /[\u0900-\u097f]/);
});
