/** Who is signed in, as the token endpoint names them. */
export interface SignedInUser {
  userId: string;
  role: string;
  name: string;
}

export interface Grant {
  token: string;
  expiresAtMs: number;
  refreshToken: string | undefined;
  user: SignedInUser;
}

/** Why no token came back. `refused`: the code or refresh token is unknown, used or expired. `unreachable`: try again. */
export class SignInError extends Error {
  override name = 'SignInError';
  readonly reason: 'refused' | 'unreachable';
  readonly correlationId: string | undefined;

  constructor(
    reason: 'refused' | 'unreachable',
    options: { cause?: unknown; correlationId?: string | undefined } = {},
  ) {
    super(
      reason === 'refused' ? 'The sign-in was refused.' : 'The sign-in service does not answer.',
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.reason = reason;
    this.correlationId = options.correlationId;
  }
}

/**
 * Exchange a one-time code or a refresh token.
 *
 * @throws SignInError
 */
export async function requestGrant(
  tokenUrl: string,
  proof: { code: string } | { refreshToken: string },
): Promise<Grant> {
  let response: Response;
  try {
    response = await fetch(tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(proof),
      signal: AbortSignal.timeout(10_000),
    });
  } catch (cause) {
    throw new SignInError('unreachable', { cause });
  }
  if (response.status >= 500 || response.status === 429) {
    throw new SignInError('unreachable', { correlationId: response.headers.get('x-request-id') ?? undefined });
  }
  if (!response.ok)
    throw new SignInError('refused', { correlationId: response.headers.get('x-request-id') ?? undefined });
  return readGrant(await response.json());
}

function readGrant(raw: {
  token?: unknown;
  expiresAt?: unknown;
  refreshToken?: unknown;
  user?: Partial<SignedInUser>;
}): Grant {
  const expiresAtMs = typeof raw.expiresAt === 'number' ? raw.expiresAt : Date.parse(String(raw.expiresAt));
  if (typeof raw.token !== 'string' || Number.isNaN(expiresAtMs)) throw new SignInError('unreachable');
  const userId = raw.user?.userId ?? '';
  return {
    token: raw.token,
    expiresAtMs,
    refreshToken: typeof raw.refreshToken === 'string' ? raw.refreshToken : undefined,
    user: { userId, role: raw.user?.role ?? 'operator', name: raw.user?.name ?? userId },
  };
}
