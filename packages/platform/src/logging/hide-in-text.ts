/** Stands where a value was. */
export const HIDDEN = '[hidden]';

const MAX_TEXT = 1_000;

/** Text without what looks private. Messages are fixed sentences, so whatever this finds in one is a mistake. */
export function hideInText(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return short.replace(PRIVATE_TEXT, HIDDEN);
}

/** In order: credentials in an address, email, JWT, PEM, international phone number, bare 10–12 digits, coordinate with 3 or more decimals. */
const PRIVATE_TEXT = new RegExp(
  [
    String.raw`(?<=:\/\/)[^\s/@]+@`,
    String.raw`[^\s@"'<>()]+@[^\s@"'<>()]+\.[^\s@"'<>()]+`,
    String.raw`eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?`,
    String.raw`-----BEGIN[\s\S]*?(?:-----END[^-]*-----|$)`,
    String.raw`\+\d[\d\s().-]{6,}\d`,
    String.raw`(?<![\w.-])0?\d{10}(?![\w.-])`,
    String.raw`(?<![\w.])-?\d{1,3}\.\d{3,}(?![\w.])`,
  ].join('|'),
  'g',
);
