import { generateKeyPairSync } from 'node:crypto';
import type { Role } from '../auth/claims.ts';
import { createTokenSigner } from '../auth/sign-token.ts';

/** A fresh key pair in the forms that services and signers take. */
export interface TestTokens {
  readonly kid: string;
  readonly privateKeyPem: string;
  /** Value of TOKEN_PUBLIC_KEYS. */
  readonly publicKeysJson: string;
  /** A token that `createTokenVerifier` accepts: operators get the audience `admin`, others `user`. */
  sign(who: { readonly userId: string; readonly role: Role; readonly lifetimeMs?: number }): string;
}

/** Makes keys for one test, so that no key stands in the repository. */
export function createTestTokens(issuer = 'hushryd'): TestTokens {
  const kid = 'test';
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const signer = createTokenSigner({ privateKeyPem, kid, issuer });
  return {
    kid,
    privateKeyPem,
    publicKeysJson: JSON.stringify({ [kid]: publicKeyPem }),
    sign: ({ userId, role, lifetimeMs = 15 * 60_000 }) =>
      signer.sign({ userId, role, audience: role === 'operator' ? 'admin' : 'user', lifetimeMs }),
  };
}
