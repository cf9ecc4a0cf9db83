import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@hushryd/platform/config/config-error';
import { toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import { StartError } from '../start-error.ts';

/** The services' variables for what they encrypt. */
export type FieldKeyVariables = Readonly<Record<'FIELD_KEYS' | 'FIELD_KEY_CURRENT' | 'BLIND_INDEX_KEY', string>>;

/**
 * Keys for private fields in development: made on the first start (folder 0700, file 0600), the same ever after, since what they encrypted
 * lies in the database of the same data folder.
 *
 * @throws StartError when the stored ones are not what the services take
 */
export async function loadFieldKeys(folder: string): Promise<FieldKeyVariables> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'field-keys.json');
  const text = (await readIfThere(file)) ?? (await makeKeys(file));
  try {
    const variables = JSON.parse(text) as FieldKeyVariables;
    toFieldKeys(variables);
    return variables;
  } catch (cause) {
    if (!(cause instanceof ConfigError || cause instanceof SyntaxError || cause instanceof TypeError)) throw cause;
    throw new StartError(
      `${file} holds no keys that services take: put back what it was, or remove it and run npm run reset, since contacts stored so far cannot be read without it.`,
      { cause },
    );
  }
}

async function makeKeys(file: string): Promise<string> {
  const kid = `dev-${randomBytes(4).toString('hex')}`;
  const variables: FieldKeyVariables = {
    FIELD_KEYS: JSON.stringify({ [kid]: randomBytes(32).toString('base64') }),
    FIELD_KEY_CURRENT: kid,
    BLIND_INDEX_KEY: randomBytes(32).toString('base64'),
  };
  const text = `${JSON.stringify(variables, null, 2)}\n`;
  await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  await chmod(file, 0o600);
  return text;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
