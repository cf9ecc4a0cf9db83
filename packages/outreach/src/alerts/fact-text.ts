import { createHash, randomBytes } from 'node:crypto';
import type { NoteSealer } from './note-sealer.ts';

/** What a person wrote about an alert. The timeline is chained over the digest, so that it can be verified without a key. */
export interface FactText {
  /** Salt and text, see `NoteSealer`. */
  sealed: string;
  /** SHA-256 over both, in hex: the text cannot be guessed from it, and whoever is shown text and salt can compare. */
  digest: string;
}

/** 128 bits in base64url. */
const saltLength = 22;

/** Seal a text under a fresh salt. Cost: some 10 µs. */
export function sealFactText(sealer: Pick<NoteSealer, 'seal'>, text: string, context: { personId: string }): FactText {
  const salted = `${randomBytes(16).toString('base64url')}.${text}`;
  return {
    sealed: sealer.seal(salted, context),
    digest: createHash('sha256').update(salted, 'utf8').digest('hex'),
  };
}

/** Stands for a text that cannot be opened. */
export const unreadableText = '(This text cannot be read: its key is gone, or it was changed.)';

/** A text for whoever reads the alert: one that cannot be opened must not hide the rest, nor other alerts. */
export function showFactText(sealer: Pick<NoteSealer, 'open'>, text: FactText, context: { personId: string }): string {
  try {
    return openFactText(sealer, text, context).text;
  } catch {
    return unreadableText;
  }
}

/** @throws AppError `internal`: sealed for another person, or by a key that is gone */
export function openFactText(
  sealer: Pick<NoteSealer, 'open'>,
  { sealed }: FactText,
  context: { personId: string },
): { text: string; salt: string } {
  const salted = sealer.open(sealed, context);
  return { salt: salted.slice(0, saltLength), text: salted.slice(saltLength + 1) };
}
