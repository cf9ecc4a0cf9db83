import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createTokenSigner } from '@hushryd/platform/auth/sign-token';
import { createHttpClient, type HttpClient } from '@hushryd/sdk/http/http-client';
import { loadSigningKeys } from '../issuer/signing-keys.ts';
import { StartError } from '../start-error.ts';
import type { DrillOptions } from './read-drill-options.ts';

const tokenLifetimeMs = 15 * 60_000;

/**
 * The api as the person who tries it out. Without a token of theirs one is made with the keys of this machine's `npm start`.
 *
 * @throws StartError where there are none
 */
export async function openApi({ apiUrl, as, keysDir }: DrillOptions): Promise<HttpClient> {
  if ('token' in as) return createHttpClient({ apiUrl, getToken: () => as.token });
  if (!existsSync(join(keysDir, 'signing-key.pem'))) {
    throw new StartError(`There are no keys in ${keysDir}: run npm start first, or set HUSHRYD_TOKEN.`);
  }
  const signer = createTokenSigner({ ...(await loadSigningKeys(keysDir)), issuer: 'hushryd' });
  return createHttpClient({
    apiUrl,
    getToken: () => signer.sign({ ...as, audience: 'user', lifetimeMs: tokenLifetimeMs }),
  });
}
