import { messageLocales } from '@hushryd/contracts/http/notifications';

export type Locale = (typeof messageLocales)[number];

/** The language that there are texts in, for one that somebody wants: `hi-IN` is `hi`; what there is none of is English. */
export const nearestLocale = (wanted: string): Locale =>
  messageLocales.find((locale) => wanted.split('-')[0] === locale) ?? 'en';

/** BCP 47, for whoever reads it out. */
export const spokenLanguage: Record<Locale, string> = { en: 'en-IN', hi: 'hi-IN' };

/** Words of one language. `{{name}}` stands for a variable; a subject has none, since nobody's text may stand there. */
export interface TemplateWords {
  /** Of a mail, and the title of a push. */
  readonly subject: string;
  /** Of a text and a push, and of a mail for who reads no HTML. */
  readonly text: string;
  /** Of a mail: its body, within the frame that all share. */
  readonly html: string;
  /** What a call reads out; without it the text. */
  readonly spoken?: string;
}

export interface Template {
  /** Every one must be given. */
  readonly variables: readonly string[];
  /** Those of them that are addresses made by us; all others are text. */
  readonly links: readonly string[];
  /** For `{{1}}`, `{{2}}` … of the template that Meta approved, in order. */
  readonly whatsapp: readonly string[];
  /** The variable whose end goes behind the address of its button: what follows the last slash. */
  readonly whatsappButton?: string;
  /** Of no use after this. */
  readonly lifeMs: number;
  /** Wakes a phone. */
  readonly isUrgent: boolean;
  /** A one-time code: goes before all others, and waits for nobody's quiet hours. */
  readonly isCode: boolean;
  readonly words: Readonly<Record<Locale, TemplateWords>>;
}
