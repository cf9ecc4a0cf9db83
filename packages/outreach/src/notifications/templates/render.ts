import { frameHtml } from './frame-html.ts';
import type { Locale, Template } from './template.ts';

export interface Rendered {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly spoken: string;
}

const longestText = 120;

/**
 * A template's words with its variables in them.
 *
 * Variables may be what people wrote of themselves: they come as one short line, cannot become an address that a phone makes a link of,
 * and are escaped in HTML. Addresses are ours alone, and refused where they do not look it.
 *
 * @throws RangeError where a variable is missing, or one that must be an address is none
 */
export function render({
  template,
  locale,
  variables,
}: {
  template: Template;
  locale: Locale;
  variables: Readonly<Record<string, string>>;
}): Rendered {
  const values = readVariables(template, variables);
  const words = template.words[locale];
  const text = fill(words.text, values);
  return {
    subject: words.subject,
    text,
    html: frameHtml({ locale, title: words.subject, body: fill(words.html, values, escapeHtml) }),
    spoken: fill(words.spoken ?? words.text, values, spaceCode),
  };
}

/** The variables as they may be shown, in whatever way. @throws RangeError */
export function readVariables(
  { variables: names, links }: Template,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.map((name) => {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      if (value === undefined || value === '') throw new RangeError(`The variable ${name} is missing`);
      if (!links.includes(name)) return [name, toPlainLine(value)];
      if (!/^https?:\/\/[\w.:[\]-]+(?:\/[\w~!*().,/#?&=%+@:-]*)?$/.test(value))
        throw new RangeError(`The variable ${name} is no address`);
      return [name, value];
    }),
  );
}

/** One line without control characters; `evil.example` and `http://…` are no links any more. */
function toPlainLine(value: string): string {
  return value
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/:\/\//g, ' ')
    .replace(/(?<=[\p{L}\p{N}_])\.(?=[\p{L}\p{N}_])/gu, '. ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, longestText);
}

function fill(words: string, values: Readonly<Record<string, string>>, change = (value: string) => value): string {
  return words.replace(/\{\{(\w+)\}\}/g, (_, name: string) => change(values[name] ?? ''));
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? '');
}

/** A voice would read 482913 as a number of hundred thousands. */
function spaceCode(value: string): string {
  return /^\d{4,10}$/.test(value) ? value.split('').join(' ') : value;
}
