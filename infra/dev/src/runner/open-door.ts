import { join } from 'node:path';
import type { Role } from '@hushryd/platform/auth/claims';
import { createTokenSigner } from '@hushryd/platform/auth/sign-token';
import { generateCity } from '../city/generate-city.ts';
import { streetsGeoJson } from '../city/streets-geojson.ts';
import { createTokenIssuer, isSame } from '../issuer/issue-token.ts';
import { createOneTimeCodes } from '../issuer/one-time-codes.ts';
import { readRefreshFile, writeRefreshFile } from '../issuer/refresh-file.ts';
import { createRefreshTokens } from '../issuer/refresh-tokens.ts';
import { loadSigningKeys } from '../issuer/signing-keys.ts';
import { answerPress } from '../simulated-sos/answer-press.ts';
import { createSimulatedSos } from '../simulated-sos/press-sos.ts';
import { StartError } from '../start-error.ts';
import { problem } from '../web/http-exchange.ts';
import { securityHeaders } from '../web/security-headers.ts';
import { readStaticFiles, type StaticFile, toStaticFile } from '../web/static-files.ts';
import { createStaticSite } from '../web/static-site.ts';
import { type Handler, startWebServer } from '../web/web-server.ts';
import type { DataFolder } from './data-folder.ts';
import { type PublicAddresses, publicAddresses } from './public-addresses.ts';
import type { FleetChoice, FrontDoorPorts, Ports } from './read-options.ts';

export interface Door {
  readonly publicKeysFile: string;
  newLink(): string;
  close(): Promise<void>;
}

/** What a person and the fleet come in by: the console's pages and the issuer of tokens, on one port. */
export async function openDoor(input: {
  data: DataFolder;
  ports: Ports;
  frontDoor?: FrontDoorPorts | undefined;
  fleet: FleetChoice;
  mapStyleUrl?: string | undefined;
  fleetSecret: string;
  rootDir: string;
  /** Messages are played: then a simulated rider may press SOS without anybody being called. */
  hasInbox?: boolean;
  tell: (text: string) => void;
}): Promise<Door> {
  const { data, ports, fleet, mapStyleUrl, fleetSecret, hasInbox = false, tell } = input;
  const urls = publicAddresses(ports, input.frontDoor);
  // Where nobody drives nobody can press.
  const inboxUrl = hasInbox && fleet.kind !== 'none' ? `http://127.0.0.1:${ports.sandbox}` : undefined;
  const keys = await loadSigningKeys(data.keysDir);
  const refreshFile = join(data.keysDir, 'refresh-tokens.json');
  const codes = createOneTimeCodes();
  const issueToken = createTokenIssuer({
    signer: createTokenSigner({ ...keys, issuer: 'hushryd' }),
    codes,
    refreshTokens: createRefreshTokens({
      families: readRefreshFile(refreshFile),
      onChange: (families) => writeRefreshFile(refreshFile, families),
    }),
    fleetSecret,
  });

  const token: Handler = ({ headers }, body) => {
    const outcome = issueToken(body, headers.authorization);
    if ('reply' in outcome) return { status: 200, body: outcome.reply };
    const status = outcome.refused === 'body' ? 400 : 401;
    return { status, body: problem(status, refusals[outcome.refused]) };
  };
  const report: Handler = ({ headers }, body) => {
    if (!isSame(headers.authorization ?? '', `Bearer ${fleetSecret}`))
      return { status: 401, body: problem(401, refusals.fleet_secret) };
    tell(String((body as { text?: unknown } | null)?.text ?? ''));
    return { status: 200, body: {} };
  };

  const tokensFor = (who: { userId: string; role: Role }) => () => {
    const outcome = issueToken(who, `Bearer ${fleetSecret}`);
    if ('refused' in outcome) throw new TypeError(`no token for ${who.userId}`);
    return outcome.reply.token;
  };
  const simulated = inboxUrl ? createSimulatedSos({ apiUrl: urls.apiUrl, inboxUrl, tokensFor }) : undefined;

  const server = await startWebServer({
    port: ports.console,
    headers: securityHeaders({ ...urls, mapStyleUrl }),
    site: createStaticSite(await readPages({ rootDir: input.rootDir, urls, fleet, mapStyleUrl, inboxUrl })),
    posts: {
      '/dev/token': token,
      '/dev/fleet-report': report,
      ...(simulated && { [sosPath]: answerPress(simulated) }),
    },
  });
  return {
    publicKeysFile: keys.publicKeysFile,
    newLink: () => `http://127.0.0.1:${ports.console}/#code=${codes.issue()}`,
    async close() {
      await simulated?.close();
      await server.close();
    },
  };
}

const sosPath = '/dev/sos';

const refusals = {
  body: 'Send a code, a refresh token, or whom to speak for.',
  code: 'The code is unknown, used or older than ten minutes: press Enter where HushRyd runs for a new link.',
  refresh_token: 'The sign-in has ended: press Enter where HushRyd runs for a new link.',
  fleet_secret: 'Only the fleet may do that.',
};

async function readPages(input: {
  rootDir: string;
  urls: PublicAddresses;
  fleet: FleetChoice;
  mapStyleUrl: string | undefined;
  inboxUrl: string | undefined;
}): Promise<Map<string, StaticFile>> {
  const folder = join(input.rootDir, 'services/console/dist');
  const files = await readStaticFiles(folder);
  if (!files?.has('/index.html'))
    throw new StartError(`The console is not built (${folder}): run npm start, which builds it.`);
  const { fleet, inboxUrl } = input;
  const config = {
    ...input.urls,
    tokenUrl: '/dev/token',
    streetsUrl: fleet.kind === 'city' ? '/dev/streets.geojson' : null,
    mapStyleUrl: input.mapStyleUrl ?? null,
    reportingIntervalMs: reportingIntervalMs(fleet),
    ...(inboxUrl && { simulation: { sosUrl: sosPath, inboxUrl } }),
  };
  files.set('/config.json', jsonFile(config, 'application/json; charset=utf-8'));
  if (fleet.kind === 'city') {
    const streets = streetsGeoJson(generateCity(fleet.seed));
    files.set('/dev/streets.geojson', jsonFile(streets, 'application/geo+json; charset=utf-8'));
  }
  return files;
}

/** Wall time between two fixes of a car. */
function reportingIntervalMs(fleet: FleetChoice): number {
  if (fleet.kind === 'none') return 5000;
  return fleet.kind === 'replay' ? Math.max(100, Math.round(fleet.intervalMs / fleet.speed)) : fleet.intervalMs;
}

function jsonFile(value: unknown, contentType: string): StaticFile {
  return toStaticFile({ body: Buffer.from(JSON.stringify(value)), contentType, cacheControl: 'no-cache' });
}
