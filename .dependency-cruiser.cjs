/**
 * Who may import whom: the import table of docs/architecture.md as rules.
 *
 * `only` rules look at each single import: whatever is not allowed for the room is forbidden.
 * `never` rules look at everything a room reaches, also through others.
 * The check fails when it reads no module at all; infra/dev/src/import-rules holds that check and a test
 * that plants one forbidden import for every rule below.
 */
const { builtinModules } = require('node:module');

const rooms = {
  contracts: 'packages/contracts',
  platform: 'packages/platform',
  tracking: 'packages/tracking',
  rides: 'packages/rides',
  outreach: 'packages/outreach',
  providers: 'packages/providers',
  sdk: 'packages/sdk',
  api: 'services/api',
  realtime: 'services/realtime',
  worker: 'services/worker',
  console: 'services/console',
  dev: 'infra/dev',
  bench: 'bench',
};

const workspace = '^(?:packages/[^/]+|services/[^/]+|infra/[^/]+|bench)/';
// With TypeScript sources read through the `@hushryd/source` condition an import always ends in src, never in dist.
const testFile = String.raw`\.test\.tsx?$|/test/`;
const engines = '^packages/platform/src/(?:engines|testing)/';
const sandbox = '^packages/providers/src/sandbox/';
const nodeModule = `^(?:node:)?(?:${builtinModules.filter((name) => !name.startsWith('_')).join('|')})$`;

const consoleFeatures = 'live-map|trips|sos-desk|queues|system';

const inRoom = (...names) => `^(?:${names.map((name) => rooms[name]).join('|')})/`;
const npm = (...names) => `(?:^|/)node_modules/(?:${names.join('|')})/`;

/** Workspace imports of a room's own code, and of its tests, which may also start engines. */
function only(room, { packages, comment }) {
  const allowed = [inRoom(room, ...packages)];
  return [
    {
      name: `${room}-imports-only-its-table`,
      comment: comment ?? `${room} may import ${packages.join(', ') || 'no other room'}`,
      severity: 'error',
      from: { path: inRoom(room), pathNot: testFile },
      to: { path: workspace, pathNot: allowed },
    },
    {
      name: `${room}-tests-import-only-its-table`,
      comment: `tests of ${room} may also import platform/engines and platform/testing`,
      severity: 'error',
      from: { path: `${inRoom(room)}.*(?:${testFile})` },
      to: { path: workspace, pathNot: [...allowed, engines] },
    },
  ];
}

/** What a room must not reach, directly or through others. Tests are free of it: the engines they ask reach a lot. */
function never(room, what, path, comment) {
  return {
    name: `${room}-never-reaches-${what}`,
    comment,
    severity: 'error',
    from: { path: inRoom(room), pathNot: [testFile, engines] },
    to: { path, reachable: true },
  };
}

/** A direct import of an npm package or Node module. */
function notDirectly(room, what, to, comment) {
  return {
    name: `${room}-imports-no-${what}`,
    comment,
    severity: 'error',
    from: { path: inRoom(room), pathNot: testFile },
    to,
  };
}

const shape = [
  {
    name: 'no-cycles',
    comment: 'two files that import each other are one file, or a third one is missing',
    severity: 'error',
    from: { path: workspace },
    to: { circular: true },
  },
  {
    name: 'no-barrels',
    comment: 'packages export files; an index that collects them hides what is used and drags the rest along',
    severity: 'error',
    from: { path: workspace },
    to: { path: `${workspace}.*/index\\.[cm]?tsx?$` },
  },
  {
    name: 'nothing-unresolved',
    comment: 'an import that leads nowhere would slip past every other rule',
    severity: 'error',
    from: { path: workspace },
    // `?url` and friends are resolved by Vite, not by Node.
    to: { couldNotResolve: true, pathNot: String.raw`\?[a-z]+$` },
  },
  {
    name: 'nobody-imports-a-service',
    comment: 'services are started as processes; what two of them need moves down into a package',
    severity: 'error',
    from: { path: '^(services/[^/]+|packages/[^/]+|infra/[^/]+|bench)/' },
    to: { path: '^services/', pathNot: '^$1/' },
  },
  {
    name: 'product-code-imports-no-tests',
    comment: 'what ships must not depend on a test file or a test helper',
    severity: 'error',
    from: { path: workspace, pathNot: [testFile, engines] },
    to: { path: `${workspace}.*(?:${testFile})` },
  },
  {
    name: 'features-do-not-import-one-another',
    comment: 'what two feature folders need moves down; the plugins of the api are shared ground',
    severity: 'error',
    from: { path: '^services/(api|worker)/src/([^/]+)/', pathNot: testFile },
    to: { path: '^services/$1/src/[^/]+/', pathNot: ['^services/$1/src/$2/', '^services/api/src/plugins/'] },
  },
  {
    name: 'console-features-do-not-import-one-another',
    comment: 'each desk of the console stands alone; what two of them need moves beside them',
    severity: 'error',
    from: { path: `^services/console/src/(${consoleFeatures})/`, pathNot: testFile },
    to: { path: `^services/console/src/(?:${consoleFeatures})/`, pathNot: '^services/console/src/$1/' },
  },
  {
    name: 'realtime-fanout-knows-no-frames',
    comment: 'frames → fanout → connections, never back: what the outside sends must not be known below',
    severity: 'error',
    from: { path: '^services/realtime/src/(?:fanout|connections)/', pathNot: testFile },
    to: { path: '^services/realtime/src/frames/' },
  },
];

const table = [
  ...only('contracts', { packages: [] }),
  notDirectly('contracts', 'npm-package-but-typebox', { path: 'node_modules/', pathNot: npm('typebox') }),
  never('contracts', 'node-modules', nodeModule, 'contracts run in a browser'),

  ...only('platform', { packages: ['contracts'] }),
  never(
    'platform',
    'other-rooms',
    inRoom('tracking', 'rides', 'outreach', 'providers', 'sdk', 'api', 'realtime', 'worker'),
  ),

  ...only('tracking', { packages: ['contracts', 'platform'] }),
  never('tracking', 'rides-outreach-providers', inRoom('rides', 'outreach', 'providers')),

  ...only('rides', { packages: ['contracts', 'platform', 'tracking'] }),
  never(
    'rides',
    'outreach-providers',
    inRoom('outreach', 'providers'),
    'calls and payments take their interface as an argument',
  ),

  ...only('outreach', { packages: ['contracts', 'platform', 'tracking', 'providers'] }),
  never('outreach', 'rides', inRoom('rides')),

  ...only('providers', { packages: ['contracts', 'platform'] }),
  {
    name: 'providers-import-only-errors-logging-config',
    comment: 'of platform, providers may import errors, logging and config alone',
    severity: 'error',
    from: { path: inRoom('providers'), pathNot: [testFile, sandbox] },
    to: { path: inRoom('platform'), pathNot: '^packages/platform/src/(?:errors|logging|config)/' },
  },
  {
    name: 'sandbox-imports-only-what-a-process-needs',
    comment: 'the sandbox is a process of its own, so it also needs lifecycle',
    severity: 'error',
    from: { path: sandbox, pathNot: testFile },
    to: { path: inRoom('platform'), pathNot: '^packages/platform/src/(?:errors|logging|config|lifecycle)/' },
  },
  {
    name: 'nobody-imports-the-sandbox',
    comment: 'what plays the outside companies is started as a process, or by tests; nothing that ships may hold it',
    severity: 'error',
    from: { path: workspace, pathNot: [testFile, sandbox] },
    to: { path: sandbox },
  },
  never(
    'providers',
    'stores',
    npm('ioredis', 'mongodb', 'bullmq'),
    'an outside company needs no Redis, MongoDB or queue',
  ),

  ...only('sdk', { packages: ['contracts'] }),
  notDirectly('sdk', 'npm-package-but-typebox', { path: 'node_modules/', pathNot: npm('typebox') }),
  never('sdk', 'platform', inRoom('platform')),
  never('sdk', 'node-modules', nodeModule, 'the sdk runs in browsers and on phones'),

  ...only('realtime', { packages: ['contracts', 'platform', 'tracking'] }),
  never('realtime', 'mongodb-bullmq', npm('mongodb', 'bullmq'), 'realtime never waits on MongoDB, nor on a queue'),
  never('realtime', 'providers', inRoom('providers')),
  never('realtime', 'engines-testing', engines),

  ...only('api', { packages: ['contracts', 'platform', 'tracking', 'rides', 'outreach', 'providers'] }),
  never('api', 'sdk-worker', inRoom('sdk', 'worker')),
  never('api', 'engines-testing', engines),

  ...only('worker', { packages: ['contracts', 'platform', 'tracking', 'rides', 'outreach', 'providers'] }),
  never('worker', 'sdk-api', inRoom('sdk', 'api')),
  never('worker', 'engines-testing', engines),

  ...only('console', { packages: ['contracts', 'sdk'] }),
  never('console', 'platform', inRoom('platform')),

  ...only('dev', { packages: ['contracts', 'sdk', 'platform'] }),
  never(
    'dev',
    'services-providers',
    inRoom('api', 'realtime', 'worker', 'console', 'providers'),
    'it starts them as processes',
  ),

  ...only('bench', { packages: ['contracts', 'sdk', 'platform', 'tracking', 'outreach'] }),
  {
    name: 'bench-imports-no-services-providers',
    comment: 'the benches measure processes; providers may only be reached through outreach',
    severity: 'error',
    from: { path: inRoom('bench') },
    to: { path: inRoom('api', 'realtime', 'worker', 'console', 'providers') },
  },
];

module.exports = {
  forbidden: [...shape, ...table].map((rule) => ({ ...rule, comment: rule.comment ?? rule.name.replaceAll('-', ' ') })),
  options: {
    // TypeScript 7 has no compiler API: without @swc/core this check reads nothing and passes.
    parser: 'swc',
    tsPreCompilationDeps: true,
    exclude: { path: '^(?:packages|services|infra)/[^/]+/dist/|^bench/dist/|^\\.hushryd/' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@hushryd/source', 'import', 'node', 'require', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mts', '.mjs', '.cjs', '.js', '.json', '.d.ts'],
      mainFields: ['module', 'main', 'types', 'typings'],
    },
  },
};
