import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

/**
 * Validators for requests, compiled once a route.
 *
 * Query, path and header values are text: where the schema wants a number, what is written like one becomes one, and nothing else is
 * converted. A body has types of its own: `"5"` is no number there. Unknown properties stay, for the schema to refuse.
 *
 * (The compiler of @fastify/type-provider-typebox converts by TypeBox's rules, `limit=true` to 1, at 5 % of a small route's time.)
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = Compile(schema);
  const numbers = httpPart === 'body' ? [] : numericProperties(schema);
  return (value: unknown) => {
    const read = numbers.length === 0 ? value : readNumbers(value as Record<string, unknown>, numbers);
    if (compiled.Check(read)) return { value: read };
    // Fastify hands the list to plugins/field-errors.ts as it is.
    return { error: compiled.Errors(read) as unknown as Error };
  };
};

const numberText = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

function numericProperties(schema: TSchema): string[] {
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> };
  return Object.keys(properties).filter((name) => ['number', 'integer'].includes(properties[name]?.type ?? ''));
}

function readNumbers(value: Record<string, unknown>, numbers: readonly string[]): Record<string, unknown> {
  const read = { ...value };
  for (const name of numbers) {
    const text = read[name];
    if (typeof text === 'string' && numberText.test(text)) read[name] = Number(text);
  }
  return read;
}
