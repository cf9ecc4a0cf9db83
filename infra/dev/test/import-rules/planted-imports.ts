/** One forbidden import: the rule that must name it, the file that holds it, and what it leads to. */
export interface PlantedImport {
  rule: string;
  file: string;
  code: string;
  to: string;
}

/** Files every room has: nothing in them is forbidden, and the planted imports lead to them. */
export const innocentFiles: Record<string, string> = {
  'packages/contracts/src/shape.ts': "import { something } from 'typebox';\nexport const shape = something;\n",
  'packages/platform/src/errors/app-error.ts': "import '@hushryd/contracts/shape';\nexport const appError = 1;\n",
  'packages/platform/src/redis/keys.ts': "import 'ioredis';\nexport const keys = 1;\n",
  'packages/platform/src/mongo/connect.ts': "import 'mongodb';\nexport const connect = 1;\n",
  'packages/platform/src/engines/find-redis.ts': "import 'node:fs';\nexport const findRedis = 1;\n",
  'packages/platform/src/testing/clock.ts': 'export const clock = 1;\n',
  'packages/tracking/src/accept-fix.ts': "import '@hushryd/platform/redis/keys';\nexport const acceptFix = 1;\n",
  'packages/tracking/src/history-store.ts': "import '@hushryd/platform/mongo/connect';\nexport const store = 1;\n",
  'packages/rides/src/trips.ts': "import '@hushryd/tracking/accept-fix';\nexport const trips = 1;\n",
  'packages/providers/src/sms.ts': "import '@hushryd/platform/errors/app-error';\nexport const sms = 1;\n",
  'packages/providers/src/sandbox/start-sandbox.ts':
    "import '../sms.ts';\nimport '@hushryd/platform/lifecycle/run-main';\nexport const startSandbox = 1;\n",
  'packages/platform/src/lifecycle/run-main.ts': 'export const runMain = 1;\n',
  'packages/outreach/src/alerts.ts': "import '@hushryd/providers/sms';\nexport const alerts = 1;\n",
  'packages/sdk/src/rider-client.ts': "import '@hushryd/contracts/shape';\nexport const rider = 1;\n",
  'services/api/src/app.ts': "import './trips/routes.ts';\nimport '@hushryd/rides/trips';\nexport const app = 1;\n",
  'services/api/src/trips/routes.ts': "import '../plugins/health.ts';\nexport const routes = 1;\n",
  'services/api/src/plugins/health.ts': "import '@hushryd/tracking/history-store';\nexport const health = 1;\n",
  'services/realtime/src/server.ts': "import './frames/dispatch.ts';\nimport '@hushryd/tracking/accept-fix';\n",
  'services/realtime/src/frames/dispatch.ts': "import '../fanout/hub.ts';\nexport const dispatch = 1;\n",
  'services/realtime/src/fanout/hub.ts': 'export const hub = 1;\n',
  'services/worker/src/collections.ts': "import '@hushryd/outreach/alerts';\nexport const collections = 1;\n",
  'services/console/src/page.ts': "import '@hushryd/sdk/rider-client';\nexport const page = 1;\n",
  'services/console/src/trips/trip-list.tsx':
    "import '../frame/panel.ts';\nexport const TripList = () => <p>trips</p>;\n",
  'services/console/src/frame/panel.ts': 'export const panel = 1;\n',
  'infra/dev/src/run.ts': "import '@hushryd/platform/engines/find-redis';\nimport '@hushryd/sdk/rider-client';\n",
  'bench/src/bench.ts': "import '@hushryd/platform/engines/find-redis';\nimport '@hushryd/outreach/alerts';\n",
  'packages/outreach/src/alerts.test.ts': "import '@hushryd/providers/sandbox/start-sandbox';\n",
  'packages/tracking/src/accept-fix.test.ts': "import './accept-fix.ts';\nimport '@hushryd/platform/testing/clock';\n",
  'services/realtime/test/server.test.ts':
    "import '../src/server.ts';\nimport '@hushryd/platform/engines/find-redis';\nimport 'mongodb';\n",
};

const direct = (room: string, folder: string, target: string, to: string): PlantedImport[] => [
  { rule: `${room}-imports-only-its-table`, file: `${folder}/src/planted.ts`, code: `import '${target}';`, to },
  {
    rule: `${room}-tests-import-only-its-table`,
    file: `${folder}/src/planted.test.ts`,
    code: `import type { x } from '${target}';`,
    to,
  },
];

const platformFile = 'packages/platform/src/redis/keys.ts';
const tripsFile = 'packages/rides/src/trips.ts';
const alertsFile = 'packages/outreach/src/alerts.ts';
const riderFile = 'packages/sdk/src/rider-client.ts';
const acceptFile = 'packages/tracking/src/accept-fix.ts';

const outsideTheTable: PlantedImport[] = [
  ...direct('contracts', 'packages/contracts', '@hushryd/platform/redis/keys', platformFile),
  ...direct('platform', 'packages/platform', '@hushryd/tracking/accept-fix', acceptFile),
  ...direct('tracking', 'packages/tracking', '@hushryd/rides/trips', tripsFile),
  ...direct('rides', 'packages/rides', '@hushryd/outreach/alerts', alertsFile),
  ...direct('outreach', 'packages/outreach', '@hushryd/rides/trips', tripsFile),
  ...direct('providers', 'packages/providers', '@hushryd/tracking/accept-fix', acceptFile),
  ...direct('sdk', 'packages/sdk', '@hushryd/platform/redis/keys', platformFile),
  ...direct('realtime', 'services/realtime', '@hushryd/rides/trips', tripsFile),
  ...direct('api', 'services/api', '@hushryd/sdk/rider-client', riderFile),
  ...direct('worker', 'services/worker', '@hushryd/sdk/rider-client', riderFile),
  ...direct('console', 'services/console', '@hushryd/platform/redis/keys', platformFile),
  ...direct('dev', 'infra/dev', '@hushryd/tracking/accept-fix', acceptFile),
  ...direct('bench', 'bench', '@hushryd/rides/trips', tripsFile),
  {
    rule: 'contracts-imports-no-npm-package-but-typebox',
    file: 'packages/contracts/src/npm.ts',
    code: "import 'left-pad';",
    to: 'node_modules/left-pad/index.js',
  },
  {
    rule: 'sdk-imports-no-npm-package-but-typebox',
    file: 'packages/sdk/src/npm.ts',
    code: "import 'left-pad';",
    to: 'node_modules/left-pad/index.js',
  },
  {
    rule: 'providers-import-only-errors-logging-config',
    file: 'packages/providers/src/keys.ts',
    code: "import '@hushryd/platform/redis/keys';",
    to: platformFile,
  },
  {
    rule: 'sandbox-imports-only-what-a-process-needs',
    file: 'packages/providers/src/sandbox/keys.ts',
    code: "import '@hushryd/platform/redis/keys';",
    to: platformFile,
  },
  {
    rule: 'nobody-imports-the-sandbox',
    file: 'packages/outreach/src/plays.ts',
    code: "import '@hushryd/providers/sandbox/start-sandbox';",
    to: 'packages/providers/src/sandbox/start-sandbox.ts',
  },
  {
    rule: 'bench-imports-no-services-providers',
    file: 'bench/src/providers.ts',
    code: "import '@hushryd/providers/sms';",
    to: 'packages/providers/src/sms.ts',
  },
];

/** Files the `never` rules are reached through: each leads on to what its importer may not have. */
export const bridges: Record<string, string> = {
  'packages/contracts/src/bridge-to-node.ts': "import 'node:fs';\n",
  'packages/contracts/src/bridge-to-platform.ts': "import '@hushryd/platform/redis/keys';\n",
  'packages/platform/src/errors/bridge-to-redis.ts': "import 'ioredis';\n",
  'packages/platform/src/redis/bridge-to-engines.ts': "import '../engines/find-redis.ts';\n",
  'packages/platform/src/redis/bridge-to-rides.ts': "import '@hushryd/rides/trips';\n",
  'packages/platform/src/redis/bridge-to-outreach.ts': "import '@hushryd/outreach/alerts';\n",
  'packages/tracking/src/bridge-to-testing.ts': "import '@hushryd/platform/testing/clock';\n",
  'packages/tracking/src/bridge-to-providers.ts': "import '@hushryd/providers/sms';\n",
  'packages/tracking/src/bridge-to-sdk.ts': "import '@hushryd/sdk/rider-client';\n",
  'packages/tracking/src/bridge-to-queue.ts': "import 'bullmq';\n",
  'packages/platform/src/redis/bridge-to-api.ts': "import '../../../../services/api/src/app.ts';\n",
};

const throughOthers: PlantedImport[] = [
  {
    rule: 'contracts-never-reaches-node-modules',
    file: 'packages/contracts/src/reach.ts',
    code: "import './bridge-to-node.ts';",
    to: 'fs',
  },
  {
    rule: 'platform-never-reaches-other-rooms',
    file: 'packages/platform/src/redis/reach.ts',
    code: "import './bridge-to-rides.ts';",
    to: tripsFile,
  },
  {
    rule: 'tracking-never-reaches-rides-outreach-providers',
    file: 'packages/tracking/src/reach.ts',
    code: "import '@hushryd/platform/redis/bridge-to-rides';",
    to: tripsFile,
  },
  {
    rule: 'rides-never-reaches-outreach-providers',
    file: 'packages/rides/src/reach.ts',
    code: "import '@hushryd/platform/redis/bridge-to-outreach';",
    to: alertsFile,
  },
  {
    rule: 'outreach-never-reaches-rides',
    file: 'packages/outreach/src/reach.ts',
    code: "import '@hushryd/platform/redis/bridge-to-rides';",
    to: tripsFile,
  },
  {
    rule: 'providers-never-reaches-stores',
    file: 'packages/providers/src/reach.ts',
    code: "import '@hushryd/platform/errors/bridge-to-redis';",
    to: 'node_modules/ioredis/index.js',
  },
  {
    rule: 'sdk-never-reaches-platform',
    file: 'packages/sdk/src/reach-platform.ts',
    code: "import '@hushryd/contracts/bridge-to-platform';",
    to: platformFile,
  },
  {
    rule: 'sdk-never-reaches-node-modules',
    file: 'packages/sdk/src/reach-node.ts',
    code: "import '@hushryd/contracts/bridge-to-node';",
    to: 'fs',
  },
  {
    rule: 'realtime-never-reaches-mongodb-bullmq',
    file: 'services/realtime/src/reach-mongodb.ts',
    code: "import '@hushryd/tracking/history-store';",
    to: 'node_modules/mongodb/index.js',
  },
  {
    rule: 'realtime-never-reaches-mongodb-bullmq',
    file: 'services/realtime/src/reach-queue.ts',
    code: "import '@hushryd/tracking/bridge-to-queue';",
    to: 'node_modules/bullmq/index.js',
  },
  {
    rule: 'realtime-never-reaches-providers',
    file: 'services/realtime/src/reach-providers.ts',
    code: "import '@hushryd/tracking/bridge-to-providers';",
    to: 'packages/providers/src/sms.ts',
  },
  {
    rule: 'realtime-never-reaches-engines-testing',
    file: 'services/realtime/src/reach-engines.ts',
    code: "import '@hushryd/platform/redis/bridge-to-engines';",
    to: 'packages/platform/src/engines/find-redis.ts',
  },
  {
    rule: 'api-never-reaches-sdk-worker',
    file: 'services/api/src/reach-sdk.ts',
    code: "import '@hushryd/tracking/bridge-to-sdk';",
    to: riderFile,
  },
  {
    rule: 'api-never-reaches-engines-testing',
    file: 'services/api/src/reach-testing.ts',
    code: "import '@hushryd/tracking/bridge-to-testing';",
    to: 'packages/platform/src/testing/clock.ts',
  },
  {
    rule: 'worker-never-reaches-sdk-api',
    file: 'services/worker/src/reach-sdk.ts',
    code: "import '@hushryd/tracking/bridge-to-sdk';",
    to: riderFile,
  },
  {
    rule: 'worker-never-reaches-engines-testing',
    file: 'services/worker/src/reach-engines.ts',
    code: "import '@hushryd/platform/redis/bridge-to-engines';",
    to: 'packages/platform/src/engines/find-redis.ts',
  },
  {
    rule: 'console-never-reaches-platform',
    file: 'services/console/src/reach-platform.ts',
    code: "import '@hushryd/contracts/bridge-to-platform';",
    to: platformFile,
  },
  {
    rule: 'dev-never-reaches-services-providers',
    file: 'infra/dev/src/reach-api.ts',
    code: "import '@hushryd/platform/redis/bridge-to-api';",
    to: 'services/api/src/app.ts',
  },
];

const wrongShape: PlantedImport[] = [
  {
    rule: 'no-cycles',
    file: 'packages/rides/src/circle.ts',
    code: "import './circle.ts';",
    to: 'packages/rides/src/circle.ts',
  },
  {
    rule: 'no-barrels',
    file: 'packages/rides/src/wants-a-barrel.ts',
    code: "import './index.ts';",
    to: 'packages/rides/src/index.ts',
  },
  {
    rule: 'nothing-unresolved',
    file: 'packages/rides/src/lost.ts',
    code: "import '@hushryd/tracking/no-such-file';",
    to: '@hushryd/tracking/no-such-file',
  },
  {
    rule: 'nobody-imports-a-service',
    file: 'services/worker/src/borrows.ts',
    code: "import '../../api/src/app.ts';",
    to: 'services/api/src/app.ts',
  },
  {
    rule: 'product-code-imports-no-tests',
    file: 'packages/tracking/src/uses-a-test.ts',
    code: "import './accept-fix.test.ts';",
    to: 'packages/tracking/src/accept-fix.test.ts',
  },
  {
    rule: 'features-do-not-import-one-another',
    file: 'services/api/src/drivers/routes.ts',
    code: "import '../trips/routes.ts';",
    to: 'services/api/src/trips/routes.ts',
  },
  {
    rule: 'console-features-do-not-import-one-another',
    file: 'services/console/src/queues/list.tsx',
    code: 'import \'../trips/trip-list.tsx\';\nexport const List = () => <p title="planted">in JSX</p>;',
    to: 'services/console/src/trips/trip-list.tsx',
  },
  {
    rule: 'realtime-fanout-knows-no-frames',
    file: 'services/realtime/src/fanout/slow-consumer.ts',
    code: "import '../frames/dispatch.ts';",
    to: 'services/realtime/src/frames/dispatch.ts',
  },
];

export const plantedImports: PlantedImport[] = [...outsideTheTable, ...throughOthers, ...wrongShape];

/** Targets that only planted imports need. */
export const plantedTargets: Record<string, string> = { ...bridges, 'packages/rides/src/index.ts': 'export {};\n' };
