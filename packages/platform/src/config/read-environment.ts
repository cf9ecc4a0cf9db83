import type { Static, TObject, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { ConfigError } from './config-error.ts';
import { describeExpectation, type SettingSchema } from './describe-expectation.ts';

/**
 * Read the process environment through a schema whose property names are the variable names.
 *
 * Text becomes what the property says: integer, number, boolean (`true` `false` `1` `0`) or, for an array, a comma list. An empty
 * variable counts as absent; an absent one takes the property's `default`. Property options beside TypeBox's own: `secret: true`
 * keeps the value out of messages, `expects` replaces the description of a good value.
 *
 * @returns a plain object with one entry per property; optional ones that are absent are left out
 * @throws ConfigError with one sentence for each bad or missing variable, all at once
 */
export function readEnvironment<Schema extends TObject>(
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>,
): Static<Schema> {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  const required = new Set<string>(schema.required as readonly string[] | undefined);

  for (const [name, property] of Object.entries(schema.properties) as [string, SettingSchema & TSchema][]) {
    const text = env[name]?.trim();
    if (text === undefined || text === '') {
      if (property.default !== undefined) values[name] = structuredClone(property.default);
      else if (required.has(name)) problems.push(missingSentence(name, property));
      continue;
    }
    const value = convert(property, text);
    if (Value.Check(property, value)) values[name] = value;
    else problems.push(badSentence(name, property, text));
  }

  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return values as Static<Schema>;
}

/** Text in the type that the schema asks for, or the text itself where it cannot be that: the check then refuses it. */
function convert(property: SettingSchema, text: string): unknown {
  switch (property.type) {
    case 'integer':
    case 'number':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
    case 'boolean':
      return { true: true, '1': true, false: false, '0': false }[text.toLowerCase()] ?? text;
    case 'array':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
        .map((item) => convert(property.items ?? {}, item));
    default:
      return text;
  }
}

function missingSentence(name: string, property: SettingSchema): string {
  return `${name} is missing: set it to ${describeExpectation(property)}.`;
}

function badSentence(name: string, property: SettingSchema, text: string): string {
  const shown = property.secret ? 'a value (not shown)' : JSON.stringify(text);
  const remedy =
    property.default === undefined
      ? 'correct it'
      : `correct it, or remove it to use ${JSON.stringify(property.default)}`;
  return `${name} is ${shown}, expected ${describeExpectation(property)}: ${remedy}.`;
}
