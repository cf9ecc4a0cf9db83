import { join } from 'node:path';
import type { FleetChoice, Ports } from './read-options.ts';

/** A process of ours to start. */
export interface ServicePlan {
  readonly name: 'api' | 'realtime' | 'worker' | 'fleet';
  /** Arguments of node. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 once the service can work. */
  readonly readyUrl?: string;
}

export interface ServiceSettings {
  readonly rootDir: string;
  readonly ports: Ports;
  readonly fleet: FleetChoice;
  readonly redisUrl: string;
  readonly mongoUrl: string;
  readonly publicKeysFile: string;
  readonly serviceToken: string;
  readonly fleetSecret: string;
}

/** What realtime refuses beyond (requirement LOC): a replay at N-fold speed moves cars N times as fast. */
const defaultMaxSpeedKmh = 350;

/** The processes of one start with their environments, in starting order. Pure. */
export function planServices(settings: ServiceSettings): ServicePlan[] {
  const { rootDir, ports, fleet } = settings;
  const main = (name: string) => [join(rootDir, 'services', name, 'dist/main.js')];
  const address = (port: number) => `http://127.0.0.1:${port}`;
  // A person may open the page by either name.
  const origins = `${address(ports.console)},http://localhost:${ports.console}`;
  const maxSpeedKmh = String(defaultMaxSpeedKmh * (fleet.kind === 'replay' ? Math.max(1, fleet.speed) : 1));
  const stores = { REDIS_URL: settings.redisUrl, MONGODB_URL: settings.mongoUrl };
  const common = { HOST: '127.0.0.1', SHUTDOWN_TIMEOUT_MS: '10000' };
  const tokens = { TOKEN_PUBLIC_KEYS_FILE: settings.publicKeysFile, SERVICE_TOKEN: settings.serviceToken };

  return [
    {
      name: 'worker',
      argv: main('worker'),
      env: { ...common, ...stores, METRICS_PORT: String(ports.workerMetrics) },
      readyUrl: `${address(ports.workerMetrics)}/health/ready`,
    },
    {
      name: 'api',
      argv: main('api'),
      env: {
        ...common,
        ...stores,
        ...tokens,
        PORT: String(ports.api),
        INTERNAL_PORT: String(ports.internal),
        METRICS_PORT: String(ports.apiMetrics),
        CORS_ORIGINS: origins,
        MAX_SPEED_KMH: maxSpeedKmh,
      },
      readyUrl: `${address(ports.api)}/health/ready`,
    },
    {
      name: 'realtime',
      argv: main('realtime'),
      env: {
        ...common,
        REDIS_URL: settings.redisUrl,
        ...tokens,
        PORT: String(ports.realtime),
        METRICS_PORT: String(ports.realtimeMetrics),
        ALLOWED_ORIGINS: origins,
        INTERNAL_API_URLS: address(ports.internal),
        MAX_SPEED_KMH: maxSpeedKmh,
        // Nobody here waits for clients to move to another node.
        DRAIN_MS: '500',
      },
      readyUrl: `${address(ports.realtime)}/health/ready`,
    },
    ...(fleet.kind === 'none' ? [] : [planFleet(settings, fleet)]),
  ];
}

function planFleet({ rootDir, ports, fleetSecret }: ServiceSettings, fleet: FleetChoice): ServicePlan {
  return {
    name: 'fleet',
    argv: ['--enable-source-maps', join(rootDir, 'infra/dev/dist/fleet/main.js')],
    env: {
      FLEET: JSON.stringify(fleet),
      API_URL: `http://127.0.0.1:${ports.api}`,
      REALTIME_URL: `ws://127.0.0.1:${ports.realtime}`,
      ISSUER_URL: `http://127.0.0.1:${ports.console}`,
      FLEET_SECRET: fleetSecret,
    },
  };
}
