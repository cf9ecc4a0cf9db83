import { StartError } from '../start-error.ts';

const example = 'https://tiles.example.com/style.json, or tiles as https://tiles.example.com/{z}/{x}/{y}.png';

/**
 * The address that replaces the console's own base map. The option wins over the variable, which may stand in a profile for good. Pure.
 *
 * @throws StartError with one sentence that names where the odd address stands
 */
export function readMapStyle(given: {
  readonly option: string | undefined;
  readonly variable: string | undefined;
}): string | undefined {
  if (given.option !== undefined) return check(given.option, '--map-style');
  return given.variable ? check(given.variable, 'MAP_STYLE_URL') : undefined;
}

function check(text: string, name: string): string {
  const refuse = (why: string) => new StartError(`${name} is "${text}", ${why}: give an address such as ${example}.`);
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) throw refuse('which is no http(s) address');
  const places = ['{z}', '{x}', '{y}'].filter((place) => text.includes(place));
  if (places.length === 1 || places.length === 2) throw refuse(`which has ${places.join(' and ')} alone`);
  // MapLibre fills in nothing else; a style's address has nothing to fill in.
  const odd = /\{(?![zxy]\})[^}]*\}?/.exec(text)?.[0];
  if (odd !== undefined) throw refuse(`and nobody fills in ${odd}`);
  return text;
}
