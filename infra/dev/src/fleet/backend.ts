import type { Role } from '@hushryd/platform/auth/claims';
import type { CreateSocket } from '@hushryd/sdk/connection/socket';
import type { GetToken } from '@hushryd/sdk/http/get-token';
import { WebSocket } from 'undici';

/** A running system as phones, riders and operators reach it. */
export interface Backend {
  /** `http://127.0.0.1:5000` */
  readonly apiUrl: string;
  /** `ws://127.0.0.1:5001` */
  readonly realtimeUrl: string;
  /** Tokens for anybody; each source keeps its token until shortly before it runs out. */
  tokensFor(who: { userId: string; role: Role }): GetToken;
}

/** Native clients send their token as a header; undici's WebSocket can, and Node 20 has none of its own. */
export const createSocket: CreateSocket = (url, protocols, headers) => new WebSocket(url, { protocols, headers });
