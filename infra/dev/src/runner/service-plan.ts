import { join } from 'node:path';
import { realtimeNodeArgs } from '@hushryd/platform/lifecycle/realtime-node-args';
import type { FieldKeyVariables } from '../issuer/field-keys.ts';
import { publicAddresses } from './public-addresses.ts';
import type { FleetChoice, FrontDoorPorts, Ports } from './read-options.ts';

/** A process of ours to start. */
export interface ServicePlan {
  readonly name: 'sandbox' | 'api' | 'realtime' | `realtime-${number}` | 'worker' | 'fleet';
  /** Arguments of node. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 once the service can work. */
  readonly readyUrl?: string;
}

export interface ServiceSettings {
  readonly rootDir: string;
  readonly ports: Ports;
  /** Where several nodes stand behind one. */
  readonly frontDoor?: FrontDoorPorts | undefined;
  readonly fleet: FleetChoice;
  readonly redisUrl: string;
  readonly mongoUrl: string;
  readonly publicKeysFile: string;
  readonly fieldKeys: FieldKeyVariables;
  readonly serviceToken: string;
  readonly fleetSecret: string;
  /** Where the api keeps alerts that the database does not have yet. */
  readonly journalDir: string;
  /** How the services send messages: see plan-messages.ts. */
  readonly messagesEnv: Readonly<Record<string, string>>;
}

/** What realtime refuses beyond (requirement LOC): a replay at N-fold speed moves cars N times as fast. */
const defaultMaxSpeedKmh = 350;

/** The processes of one start with their environments, in starting order. Pure. */
export function planServices(settings: ServiceSettings): ServicePlan[] {
  const { rootDir, ports, frontDoor, fleet } = settings;
  const main = (name: string) => [join(rootDir, 'services', name, 'dist/main.js')];
  const address = (port: number) => `http://127.0.0.1:${port}`;
  // A person may open the page by either name.
  const origins = `${address(ports.console)},http://localhost:${ports.console}`;
  const maxSpeedKmh = String(defaultMaxSpeedKmh * (fleet.kind === 'replay' ? Math.max(1, fleet.speed) : 1));
  const stores = { REDIS_URL: settings.redisUrl, MONGODB_URL: settings.mongoUrl };
  const common = { HOST: '127.0.0.1', SHUTDOWN_TIMEOUT_MS: '10000' };
  /** Of what stands in messages of alerts. */
  const pages = {
    SOS_DESK_URL: `${address(ports.console)}/#/sos?alert={alertId}`,
    SHARE_PAGE_URL: `${publicAddresses(ports, frontDoor).apiUrl}/share.html`,
  };
  const tokens = { TOKEN_PUBLIC_KEYS_FILE: settings.publicKeysFile, SERVICE_TOKEN: settings.serviceToken };

  return [
    {
      name: 'worker',
      argv: main('worker'),
      env: {
        ...common,
        ...stores,
        ...settings.fieldKeys,
        ...settings.messagesEnv,
        ...pages,
        METRICS_PORT: String(ports.workerMetrics),
      },
      readyUrl: `${address(ports.workerMetrics)}/health/ready`,
    },
    {
      name: 'api',
      argv: main('api'),
      env: {
        ...common,
        ...stores,
        ...tokens,
        ...settings.fieldKeys,
        ...settings.messagesEnv,
        ...pages,
        PORT: String(ports.api),
        INTERNAL_PORT: String(ports.internal),
        METRICS_PORT: String(ports.apiMetrics),
        CORS_ORIGINS: origins,
        // The front door runs on this machine as well.
        ...(frontDoor && { TRUSTED_PROXIES: '127.0.0.1/32' }),
        MAX_SPEED_KMH: maxSpeedKmh,
        SOS_JOURNAL_DIR: settings.journalDir,
      },
      readyUrl: `${address(ports.api)}/health/ready`,
    },
    planNode('realtime', { port: ports.realtime, metricsPort: ports.realtimeMetrics }),
    ...(frontDoor?.moreNodes ?? []).map((node, index) => planNode(`realtime-${index + 2}`, node)),
    ...(fleet.kind === 'none' ? [] : [planFleet(settings, fleet)]),
  ];

  function planNode(name: ServicePlan['name'], node: { port: number; metricsPort: number }): ServicePlan {
    return {
      name,
      argv: [...realtimeNodeArgs, ...main('realtime')],
      env: {
        ...common,
        REDIS_URL: settings.redisUrl,
        ...tokens,
        PORT: String(node.port),
        METRICS_PORT: String(node.metricsPort),
        ALLOWED_ORIGINS: origins,
        INTERNAL_API_URLS: address(ports.internal),
        MAX_SPEED_KMH: maxSpeedKmh,
        // Nobody here waits for clients to move to another node.
        DRAIN_MS: '500',
      },
      readyUrl: `${address(node.port)}/health/ready`,
    };
  }
}

function planFleet({ rootDir, ports, frontDoor, fleetSecret }: ServiceSettings, fleet: FleetChoice): ServicePlan {
  const { apiUrl, realtimeUrl } = publicAddresses(ports, frontDoor);
  return {
    name: 'fleet',
    argv: ['--enable-source-maps', join(rootDir, 'infra/dev/dist/fleet/main.js')],
    env: {
      FLEET: JSON.stringify(fleet),
      API_URL: apiUrl,
      REALTIME_URL: realtimeUrl,
      ISSUER_URL: `http://127.0.0.1:${ports.console}`,
      FLEET_SECRET: fleetSecret,
    },
  };
}
