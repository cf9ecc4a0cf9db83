/** The JSON Schema keywords that settings use, and our two: `secret` and `expects`. */
export interface SettingSchema {
  type?: string;
  default?: unknown;
  secret?: boolean;
  expects?: string;
  items?: SettingSchema;
  anyOf?: readonly { const?: unknown }[];
  enum?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  minItems?: number;
  pattern?: string;
}

/** What a good value looks like, as the end of a sentence. */
export function describeExpectation(schema: SettingSchema): string {
  if (schema.expects !== undefined) return schema.expects;
  const choices = schema.enum ?? schema.anyOf?.map((option) => option.const);
  if (choices !== undefined) return `one of ${choices.join(', ')}`;
  switch (schema.type) {
    case 'integer':
      return `an integer${range(schema)}`;
    case 'number':
      return `a number${range(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a comma list, each entry ${describeExpectation(schema.items ?? {})}`;
    default:
      return text(schema);
  }
}

function range({ minimum, maximum }: SettingSchema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  if (maximum !== undefined) return ` of at most ${maximum}`;
  return '';
}

function text({ pattern, minLength }: SettingSchema): string {
  if (pattern !== undefined) return `text that matches ${pattern}`;
  if (minLength !== undefined) return `text of at least ${minLength} characters`;
  return 'text';
}
