import type { SosReply } from '@hushryd/contracts/http/sos';
import type { SosFixesReply } from '@hushryd/contracts/http/sos-trail';
import type { Connection } from '../connection/connection.ts';
import type { ConnectionOptions } from '../connection/connection-options.ts';
import { toRuntime } from '../connection/runtime.ts';
import { createPostWithNewestToken } from './post-newest-token.ts';
import { createSosFixSender, type SosFixSender } from './sos-fix-sender.ts';
import { createSosSender, type SosOptions, type SosSender } from './sos-sender.ts';

/** The alerts of one client, and where their person is: over its connection, and over HTTPS beside it. */
export interface ClientSos extends SosSender {
  sendFixes: SosFixSender['send'];
}

export function createClientSos(
  connection: Connection,
  options: ConnectionOptions & SosOptions,
  onError: (error: unknown) => void,
): ClientSos {
  const runtime = toRuntime(options);
  const post = createPostWithNewestToken({ getToken: options.getToken, fetch: options.fetch, runtime });
  const apiUrls = [options.apiUrl, ...(options.sosApiUrls ?? [])];
  const sender = createSosSender({
    connection,
    postSos: (apiUrl, trigger) => post<SosReply>(apiUrl, '/v1/sos', trigger),
    apiUrls,
    options,
    runtime,
    onError,
  });
  const fixes = createSosFixSender({
    connection,
    postSosFixes: (apiUrl, alertId, body) =>
      post<SosFixesReply>(apiUrl, `/v1/sos/${encodeURIComponent(alertId)}/fixes`, body),
    apiUrls,
    runtime,
  });
  return { ...sender, sendFixes: fixes.send };
}
