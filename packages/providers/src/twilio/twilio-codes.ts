import type { CodeMeaning } from '../http/failed-answer.ts';

const invalid: CodeMeaning = { errorClass: 'give-up', reason: 'recipient-invalid' };
const unsubscribed: CodeMeaning = { errorClass: 'give-up', reason: 'recipient-unsubscribed' };
const misconfigured: CodeMeaning = { errorClass: 'next', reason: 'misconfigured' };
const unsupported: CodeMeaning = { errorClass: 'next', reason: 'unsupported' };
const suspended: CodeMeaning = { errorClass: 'next', reason: 'suspended' };

/**
 * Codes of refusals (2xxxx) and of receipts that say failed (3xxxx). What is not here goes by its status, and in receipts to the next
 * provider. Source: twilio.com/docs/api/errors.
 */
const meanings: Readonly<Record<string, CodeMeaning>> = {
  '13223': invalid,
  '13224': invalid,
  '21211': invalid,
  '21214': invalid,
  '21217': invalid,
  '21614': invalid,
  '30005': invalid,
  '30006': invalid,
  '21610': unsubscribed,
  '20003': { errorClass: 'next', reason: 'unauthorised' },
  '20005': suspended,
  '30002': suspended,
  '21212': misconfigured,
  '21606': misconfigured,
  '21603': misconfigured,
  '21210': misconfigured,
  '21215': unsupported,
  '21408': unsupported,
  '21612': unsupported,
  '20429': { errorClass: 'retry', reason: 'rate-limited' },
  '21611': { errorClass: 'retry', reason: 'rate-limited' },
  '30001': { errorClass: 'retry', reason: 'rate-limited' },
};

export function meaningOfTwilioCode(code: string | undefined): CodeMeaning | undefined {
  return code !== undefined && Object.hasOwn(meanings, code) ? meanings[code] : undefined;
}
