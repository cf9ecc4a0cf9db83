import type { KeyAnswer } from '@hushryd/providers/receipts/answer-keys';
import type { PressedKeys } from '@hushryd/providers/receipts/receipt';
import { type Locale, nearestLocale } from '../notifications/templates/template.ts';

/** The key that takes an alert. Source: the words of the template `on_call_page`. */
export const acknowledgeKey = '1';

/**
 * What a key that somebody pressed has come to. `taken`: somebody takes care already, or it is over. `other-key`: it is acknowledged by
 * nobody, and this key does not do it.
 */
export type KeyOutcome = 'acknowledged' | 'taken' | 'other-key';

/** In one call. Whoever still presses another key is somebody's pocket: it is the next person's turn. */
const maxTimesAsked = 3;

type Said = 'acknowledged' | 'taken' | 'received' | 'again' | 'end';

const words: Record<Locale, Record<Said, string>> = {
  en: {
    acknowledged: 'Thank you. The alert is acknowledged.',
    taken: 'Thank you. Somebody takes care of this alert already, or it is over.',
    received: 'Thank you. Your answer has been received.',
    again: 'The alert is not acknowledged. Press 1 to acknowledge it.',
    end: 'The alert is not acknowledged. Goodbye.',
  },
  hi: {
    acknowledged: 'धन्यवाद। SOS स्वीकार हो गया है।',
    taken: 'धन्यवाद। इस SOS को कोई पहले से देख रहा है, या यह समाप्त हो चुका है।',
    received: 'धन्यवाद। आपका उत्तर मिल गया है।',
    again: 'SOS स्वीकार नहीं हुआ है। स्वीकार करने के लिए 1 दबाएँ।',
    end: 'SOS स्वीकार नहीं हुआ है। नमस्ते।',
  },
};

/**
 * What whoever pressed a key hears: never thanks for a key that did nothing. Pure.
 *
 * @param outcome true where keys matter to nobody in this call; false where it is of nobody's message; undefined where the key is kept and
 *   has had no effect yet, or came a second time
 */
export function answerKeys(
  { digits, timesAsked, language }: PressedKeys,
  outcome: KeyOutcome | boolean | undefined,
): KeyAnswer {
  const said = words[nearestLocale(language)];
  if (outcome === 'acknowledged' || outcome === 'taken') return { sayText: said[outcome] };
  if (outcome === false) return { sayText: said.end };
  if (outcome === true || (outcome === undefined && digits === acknowledgeKey)) return { sayText: said.received };
  return timesAsked < maxTimesAsked ? { sayText: said.again, again: { silenceText: said.end } } : { sayText: said.end };
}
