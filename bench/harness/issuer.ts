import { generateKeyPairSync } from 'node:crypto';
import type { Role } from '@hushryd/platform/auth/claims';
import { createTokenSigner } from '@hushryd/platform/auth/sign-token';

/** The longest life that services accept. */
const tokenLifetimeMs = 900_000;

export interface Issuer {
  /** TOKEN_PUBLIC_KEYS of the services. */
  readonly publicKeys: string;
  token(userId: string, role: Role): string;
}

/** Signs tokens with a key that lives as long as this process. Cost: some 0.1 ms a token. */
export function createIssuer(): Issuer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const signer = createTokenSigner({
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    kid: 'bench',
    issuer: 'hushryd',
  });
  return {
    publicKeys: JSON.stringify({ bench: publicKey.export({ type: 'spki', format: 'pem' }) }),
    token: (userId, role) =>
      signer.sign({ userId, role, audience: role === 'operator' ? 'admin' : 'user', lifetimeMs: tokenLifetimeMs }),
  };
}
