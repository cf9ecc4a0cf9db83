import { AppError } from '@hushryd/platform/errors/app-error';
import t from 'tap';
import { createFirstPrompt, type ReadVoicePrompt } from './read-voice-prompt.ts';

const away: ReadVoicePrompt = async () => {
  throw new AppError('database_unavailable');
};
const unknown: ReadVoicePrompt = async () => undefined;
const knows: ReadVoicePrompt = async (attemptId) => ({ sayText: `words of ${attemptId}`, maxDigits: 1 });

t.test('whoever cannot look keeps nobody else from saying what a call is to say', async (t) => {
  t.same(await createFirstPrompt([unknown, away, knows])('a1'), { sayText: 'words of a1', maxDigits: 1 });
});

t.test('a call that nobody knows: an error where somebody could not look', async (t) => {
  t.equal(await createFirstPrompt([unknown, unknown])('a1'), undefined);
  await t.rejects(createFirstPrompt([unknown, away])('a1'), { code: 'database_unavailable' });
});
