import { join } from 'node:path';
import { createTokenSigner } from '@hushryd/platform/auth/sign-token';
import { generateCity } from '../city/generate-city.ts';
import { streetsGeoJson } from '../city/streets-geojson.ts';
import { createTokenIssuer, isSame } from '../issuer/issue-token.ts';
import { createOneTimeCodes } from '../issuer/one-time-codes.ts';
import { readRefreshFile, writeRefreshFile } from '../issuer/refresh-file.ts';
import { createRefreshTokens } from '../issuer/refresh-tokens.ts';
import { loadSigningKeys } from '../issuer/signing-keys.ts';
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
  fleetSecret: string;
  rootDir: string;
  tell: (text: string) => void;
}): Promise<Door> {
  const { data, ports, fleet, fleetSecret, tell } = input;
  const urls = publicAddresses(ports, input.frontDoor);
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

  const server = await startWebServer({
    port: ports.console,
    headers: securityHeaders(urls),
    site: createStaticSite(await readPages({ rootDir: input.rootDir, urls, fleet })),
    posts: { '/dev/token': token, '/dev/fleet-report': report },
  });
  return {
    publicKeysFile: keys.publicKeysFile,
    newLink: () => `http://127.0.0.1:${ports.console}/#code=${codes.issue()}`,
    close: server.close,
  };
}

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
}): Promise<Map<string, StaticFile>> {
  const folder = join(input.rootDir, 'services/console/dist');
  const files = await readStaticFiles(folder);
  if (!files?.has('/index.html'))
    throw new StartError(`The console is not built (${folder}): run npm start, which builds it.`);
  const { fleet } = input;
  const config = {
    ...input.urls,
    tokenUrl: '/dev/token',
    streetsUrl: fleet.kind === 'city' ? '/dev/streets.geojson' : null,
    mapStyleUrl: null,
    reportingIntervalMs: reportingIntervalMs(fleet),
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
