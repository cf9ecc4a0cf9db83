import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../start-error.ts';

export interface SigningKeys {
  /** Ed25519, PKCS 8. It never leaves this process. */
  readonly privateKeyPem: string;
  readonly kid: string;
  /** File with the public ring, `{ kid: pem }`, for the services' TOKEN_PUBLIC_KEYS_FILE. */
  readonly publicKeysFile: string;
}

/**
 * The development issuer's key pair: made on the first start (folder 0700, files 0600), the same ever after, so that a page that is signed in
 * survives a restart.
 *
 * @throws StartError when the stored key is not an Ed25519 key
 */
export async function loadSigningKeys(folder: string): Promise<SigningKeys> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const privateKeyFile = join(folder, 'signing-key.pem');
  const publicKeysFile = join(folder, 'public-keys.json');
  const privateKeyPem = (await readIfThere(privateKeyFile)) ?? (await makeKey(privateKeyFile));
  const publicKeyPem = publicKeyOf(privateKeyPem, privateKeyFile);
  // The name follows from the key: a new key can never pass under an old name.
  const kid = `dev-${createHash('sha256').update(publicKeyPem).digest('hex').slice(0, 16)}`;
  await writeFile(publicKeysFile, `${JSON.stringify({ [kid]: publicKeyPem }, null, 2)}\n`, { mode: 0o600 });
  return { privateKeyPem, kid, publicKeysFile };
}

async function makeKey(file: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await writeFile(file, pem, { mode: 0o600, flag: 'wx' });
  // The umask may have taken more away, never given more; a file system without modes is left as it is.
  await chmod(file, 0o600);
  return pem;
}

function publicKeyOf(privateKeyPem: string, file: string): string {
  try {
    const privateKey = createPrivateKey(privateKeyPem);
    if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('another kind of key');
    return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  } catch (cause) {
    throw new StartError(`${file} is not an Ed25519 private key: remove it, and the next start makes a new one.`, {
      cause,
    });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
