import { createHmac, createPrivateKey, sign } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { type ErrorCode, errorCatalogue } from '@hushryd/contracts/errors';
import { type Problem, ProblemSchema } from '@hushryd/contracts/http/problem';
import type { Role } from '@hushryd/platform/auth/claims';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import Type, { type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  asDriver,
  asRider,
  createCollections,
  drive,
  environmentOf,
  fixesFrom,
  newId,
  operator,
  privateKeyPem,
  startNewTrip,
  startTestApi,
  tripBody,
  webOrigin,
} from './test-api.ts';

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const api = await startTestApi(t, environmentOf({ redis, mongo }));
const problem = Compile(Type.Object(ProblemSchema.properties, { additionalProperties: false }));

const driver = asDriver(newId('driver'));
const body = tripBody({ driverId: driver.userId });
const trip = await startNewTrip(api);
const fix = { seq: 1, recordedAtMs: Date.now(), lat: 1, lng: 1 };

interface BadRequest {
  what: string;
  route: string;
  as?: { role: Role; userId: string };
  body?: unknown;
  headers?: Record<string, string>;
  code: ErrorCode;
  /** Fields that the reply has to name. */
  fields?: string[];
}

const json = { 'content-type': 'application/json' };
const plan = (changes: Record<string, unknown>) => ({
  route: 'POST /v1/trips',
  as: driver,
  body: { ...body, ...changes },
});
const post = (one: Record<string, unknown>) => ({
  route: 'POST /v1/drivers/me/fixes',
  as: driver,
  body: { run: 1, from: 1, fixes: [{ ...fix, ...one }] },
});
const find = (query: string) => ({ route: `GET /v1/trips?${query}`, as: operator });
const near = (query: string) => ({ route: `GET /v1/drivers/nearby?${query}`, as: operator });

const badRequests: BadRequest[] = [
  { what: 'no JSON', route: 'POST /v1/trips', as: driver, body: '{"driverId":', code: 'body_malformed' },
  { what: 'an empty body', route: 'POST /v1/trips', as: driver, body: '', code: 'body_malformed' },
  { what: 'no body', route: 'POST /v1/trips', as: driver, code: 'request_invalid', fields: ['body'] },
  { what: 'NaN', route: 'POST /v1/trips', as: driver, body: '{"lat":NaN}', code: 'body_malformed' },
  {
    what: '__proto__',
    route: 'POST /v1/trips',
    as: driver,
    body: '{"__proto__":{"role":"operator"}}',
    code: 'body_malformed',
  },
  {
    what: 'another media type',
    route: 'POST /v1/trips',
    as: driver,
    body: 'a=1',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    code: 'unsupported_media_type',
  },
  {
    what: 'plain text',
    route: 'POST /v1/trips',
    as: driver,
    body: 'hello',
    headers: { 'content-type': 'text/plain' },
    code: 'unsupported_media_type',
  },
  { what: 'too large a body', ...plan({ reference: 'x'.repeat(300_000) }), code: 'payload_too_large' },
  {
    what: 'an array for an object',
    route: 'POST /v1/trips',
    as: driver,
    body: [],
    code: 'request_invalid',
    fields: ['body'],
  },
  { what: 'a missing field', ...plan({ driverId: undefined }), code: 'request_invalid', fields: ['body/driverId'] },
  { what: 'an unknown field', ...plan({ state: 'active' }), code: 'request_invalid', fields: ['body/state'] },
  {
    what: 'a number as text',
    ...plan({ origin: { lat: '41', lng: 1 } }),
    code: 'request_invalid',
    fields: ['body/origin/lat'],
  },
  {
    what: 'latitude 91',
    ...plan({ origin: { lat: 91, lng: 1 } }),
    code: 'request_invalid',
    fields: ['body/origin/lat'],
  },
  {
    what: 'longitude 181',
    ...plan({ destination: { lat: 1, lng: 181 } }),
    code: 'request_invalid',
    fields: ['body/destination/lng'],
  },
  {
    what: 'infinity',
    route: 'POST /v1/trips',
    as: driver,
    body: JSON.stringify(body).replace('41.1496', '1e999'),
    code: 'request_invalid',
    fields: ['body/origin/lat'],
  },
  {
    what: 'an operator of MongoDB as an id',
    ...plan({ driverId: { $ne: null } }),
    code: 'request_invalid',
    fields: ['body/driverId'],
  },
  {
    what: 'an operator of MongoDB in a list',
    ...plan({ passengerIds: [{ $gt: '' }] }),
    code: 'request_invalid',
    fields: ['body/passengerIds/0'],
  },
  { what: 'an id with a colon', ...plan({ tripId: 'a:b' }), code: 'request_invalid', fields: ['body/tripId'] },
  {
    what: 'nine passengers',
    ...plan({ passengerIds: Array.from({ length: 9 }, (_, index) => `p${index}`) }),
    code: 'request_invalid',
    fields: ['body/passengerIds'],
  },
  {
    what: 'a passenger twice',
    ...plan({ passengerIds: ['p', 'p'] }),
    code: 'request_invalid',
    fields: ['body/passengerIds'],
  },
  {
    what: 'a route of one point',
    ...plan({ plannedRoute: [{ lat: 1, lng: 1 }] }),
    code: 'request_invalid',
    fields: ['body/plannedRoute'],
  },
  {
    what: 'two bad fields',
    ...plan({ driverId: 5, reference: '' }),
    code: 'request_invalid',
    fields: ['body/reference', 'body/driverId'],
  },
  { what: 'a trip for another driver', ...plan({ driverId: 'other' }), code: 'forbidden' },
  {
    what: 'something in an empty body',
    route: `POST /v1/trips/${trip.tripId}/start`,
    as: operator,
    body: { now: true },
    code: 'request_invalid',
  },
  { what: 'a state that is none', ...find('state=flying'), code: 'request_invalid', fields: ['query/state'] },
  { what: 'limit 0', ...find('limit=0'), code: 'request_invalid', fields: ['query/limit'] },
  { what: 'limit as text', ...find('limit=many'), code: 'request_invalid', fields: ['query/limit'] },
  { what: 'a parameter twice', ...find('limit=1&limit=2'), code: 'request_invalid', fields: ['query/limit'] },
  { what: 'an unknown parameter', ...find('sort=asc'), code: 'request_invalid', fields: ['query/sort'] },
  { what: 'a made-up cursor', ...find('cursor=eyJ4IjoxfQ'), code: 'cursor_invalid' },
  { what: 'no place', ...near('lat=1'), code: 'request_invalid', fields: ['query/lng'] },
  { what: 'latitude 91 in a query', ...near('lat=91&lng=0'), code: 'request_invalid', fields: ['query/lat'] },
  { what: 'NaN in a query', ...near('lat=NaN&lng=0'), code: 'request_invalid', fields: ['query/lat'] },
  {
    what: 'a box that is none',
    route: 'GET /v1/map/roads?bbox=1,2,3',
    as: operator,
    code: 'request_invalid',
    fields: ['query/bbox'],
  },
  {
    what: 'a wait too long',
    route: `GET /v1/trips/${trip.tripId}/location?waitSeconds=31`,
    as: operator,
    code: 'request_invalid',
    fields: ['query/waitSeconds'],
  },
  {
    what: 'a fix without time',
    ...post({ recordedAtMs: undefined }),
    code: 'request_invalid',
    fields: ['body/fixes/0/recordedAtMs'],
  },
  { what: 'a fix with seq 0', ...post({ seq: 0 }), code: 'request_invalid', fields: ['body/fixes/0/seq'] },
  {
    what: 'a fix with an unknown field',
    ...post({ altitude: 5 }),
    code: 'request_invalid',
    fields: ['body/fixes/0/altitude'],
  },
  {
    what: '101 fixes',
    route: 'POST /v1/drivers/me/fixes',
    as: driver,
    body: { run: 1, from: 1, fixes: fixesFrom(1, 101) },
    code: 'request_invalid',
    fields: ['body/fixes'],
  },
  {
    what: 'a run in the future',
    route: 'POST /v1/drivers/me/runs',
    as: driver,
    body: { run: Date.now() + 3_600_000 },
    code: 'run_unknown',
  },
  {
    what: 'an id with a percent sign',
    route: 'GET /v1/trips/%24ne',
    as: operator,
    code: 'request_invalid',
    fields: ['params/id'],
  },
  { what: 'a broken percent sign', route: 'GET /v1/trips/%ZZ', as: operator, code: 'request_invalid' },
  { what: 'a trip that nobody made', route: 'GET /v1/trips/nobody', as: operator, code: 'not_found' },
  { what: 'a path that is none', route: 'GET /v2/trips', as: operator, code: 'not_found' },
  { what: 'a method that is none', route: 'DELETE /v1/trips', as: operator, code: 'method_not_allowed' },
  {
    what: 'a method that the path lacks',
    route: `PUT /v1/trips/${trip.tripId}/start`,
    as: operator,
    body: {},
    code: 'method_not_allowed',
  },
  {
    what: 'a format that is none',
    route: 'GET /v1/trips',
    as: operator,
    headers: { accept: 'text/html' },
    code: 'not_acceptable',
  },
  {
    what: 'JSON unwanted',
    route: 'GET /v1/trips',
    as: operator,
    headers: { accept: 'text/*, application/json;q=0' },
    code: 'not_acceptable',
  },
  { what: 'no token', route: 'GET /v1/trips', code: 'token_missing' },
  {
    what: 'another scheme',
    route: 'GET /v1/trips',
    headers: { authorization: 'Basic b2xnYTp4' },
    code: 'token_missing',
  },
  { what: 'no JWT', route: 'GET /v1/trips', headers: { authorization: 'Bearer x.y.z' }, code: 'token_invalid' },
];

t.test('each bad request gets its named error and stores nothing', async (t) => {
  const before = await countAll();
  for (const { what, route, as, body, headers, code, fields } of badRequests) {
    const reply = await api.call<Problem>(route, {
      as,
      body,
      headers: { ...(body === '' && json), ...headers },
    });
    const { status } = errorCatalogue[code];
    t.match([reply.status, reply.body.code], [status, code], what);
    t.match(reply.headers.get('content-type'), 'application/problem+json', what);
    t.ok(problem.Check(reply.body), `${what}: ${JSON.stringify(reply.body)}`);
    t.equal(reply.headers.get('x-request-id'), reply.body.correlationId, what);
    if (fields !== undefined)
      t.same(
        reply.body.errors?.map(({ path }) => path),
        fields,
        what,
      );
    if (status === 405) t.ok(reply.headers.get('allow'), what);
    if (status === 401) t.equal(reply.headers.get('www-authenticate'), 'Bearer', what);
  }
  t.same(await countAll(), before);
  t.equal((await api.call('GET /health/live')).status, 200);
});

async function countAll(): Promise<number[]> {
  return Promise.all(
    ['trips', 'drivers', 'location_history'].map((name) => mongo.db.collection(name).countDocuments()),
  );
}

t.test('tokens that are not ours, or not good any more, open nothing', async (t) => {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'hushryd',
    aud: 'admin',
    sub: 'olga',
    role: 'operator',
    jti: 'j',
    iat: now,
    nbf: now,
    exp: now + 600,
  };
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = { alg: 'EdDSA', typ: 'at+jwt', kid: 'test' };
  const signed = (head: object, payload: object) => {
    const text = `${encode(head)}.${encode(payload)}`;
    return `${text}.${sign(null, Buffer.from(text), createPrivateKey(privateKeyPem)).toString('base64url')}`;
  };
  const hmacText = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
  const [head, payload, signature] = signed(header, claims).split('.') as [string, string, string];
  const tokens: [string, string, ErrorCode][] = [
    ['expired', signed(header, { ...claims, iat: now - 900, nbf: now - 900, exp: now - 300 }), 'token_expired'],
    ['not yet valid', signed(header, { ...claims, nbf: now + 300 }), 'token_invalid'],
    ['lives too long', signed(header, { ...claims, exp: now + 86_400 }), 'token_invalid'],
    ['alg none', `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`, 'token_invalid'],
    ['HMAC', `${hmacText}.${createHmac('sha256', 'x').update(hmacText).digest('base64url')}`, 'token_invalid'],
    ['forged claims', `${head}.${encode({ ...claims, sub: 'eve' })}.${signature}`, 'token_invalid'],
    ['unknown key', signed({ ...header, kid: 'other' }, claims), 'token_invalid'],
    ['another issuer', signed(header, { ...claims, iss: 'other' }), 'token_invalid'],
    ['an operator for users', signed(header, { ...claims, aud: 'user' }), 'token_invalid'],
    ['no role we know', signed(header, { ...claims, role: 'root' }), 'token_invalid'],
    ['no signature', `${head}.${payload}`, 'token_invalid'],
    ['huge', 'x'.repeat(10_000), 'token_invalid'],
  ];
  for (const [what, token, code] of tokens) {
    const reply = await api.call<Problem>('GET /v1/trips', { headers: { authorization: `Bearer ${token}` } });
    t.match([reply.status, reply.body.code], [401, code], what);
  }
  const good = signed(header, claims);
  t.equal(
    (await api.call('GET /v1/trips', { headers: { authorization: `bearer ${good}` } })).status,
    200,
    'the scheme is case-insensitive',
  );
});

t.test('X-Request-ID is taken over when it is well-formed', async (t) => {
  const given = await api.call('GET /health/live', { headers: { 'x-request-id': 'call-0123456789' } });
  t.equal(given.headers.get('x-request-id'), 'call-0123456789');
  for (const bad of ['short', 'x'.repeat(65), 'white space here', '{"a":"b"}']) {
    const made = await api.call('GET /health/live', { headers: { 'x-request-id': bad } });
    t.match(made.headers.get('x-request-id'), /^[0-9a-f-]{36}$/, bad);
  }
});

t.test('pages of the configured origins may call, others may not', async (t) => {
  const preflight = (origin: string) =>
    api.call('OPTIONS /v1/trips', {
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
  const allowed = await preflightRaw(webOrigin);
  t.match(allowed, { status: 204, origin: webOrigin });
  for (const origin of [
    'https://evil.example',
    `${webOrigin}.evil.example`,
    'null',
    webOrigin.replace('https', 'http'),
  ]) {
    t.match(await preflightRaw(origin), { status: 204, origin: undefined }, origin);
  }
  t.equal((await preflight(webOrigin)).status, 204);
  const { headers } = await api.call('GET /health/live');
  t.equal(headers.get('x-content-type-options'), 'nosniff');
  t.match(headers.get('content-security-policy'), "default-src 'none'");
});

/** fetch refuses to set Origin. */
function preflightRaw(origin: string): Promise<{ status: number | undefined; origin: string | undefined }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${api.url}/v1/trips`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    request.on('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode, origin: response.headers['access-control-allow-origin'] });
    });
    request.on('error', reject);
    request.end();
  });
}

interface Operation {
  operationId: string;
  tags: string[];
  parameters?: { name: string; in: string }[];
  responses: Record<string, { content?: Record<string, { schema: TSchema }> }>;
}

t.test('the description is sound OpenAPI 3.1, and replies are as it says', async (t) => {
  const { body: document } = await api.call<{
    openapi: string;
    tags: { name: string }[];
    components: { schemas: Record<string, TSchema> };
    paths: Record<string, Record<string, Operation>>;
  }>('GET /openapi.json');
  t.equal(document.openapi, '3.1.0');

  for (const [, name] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
    t.equal(name, '#/components/schemas/Problem');
  }
  t.ok(document.components.schemas.Problem);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );
  const names = operations.map(({ operationId }) => operationId);
  t.equal(new Set(names).size, names.length, 'each operation has a name of its own');
  for (const { operationId, path, tags, parameters = [], responses } of operations) {
    t.ok(
      tags.every((tag) => document.tags.some(({ name }) => name === tag)),
      `${operationId} is under a known tag`,
    );
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    t.same(
      parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name),
      inPath,
    );
    t.ok(responses.default, `${operationId} tells of errors`);
    t.ok(
      Object.keys(responses).some((status) => status.startsWith('2')),
      `${operationId} tells of success`,
    );
  }

  await drive(api, trip.driverId, fixesFrom(1, 2), { tripId: trip.tripId });
  const samples: [string, string, { role: Role; userId: string }, unknown?][] = [
    ['post /v1/trips', '/v1/trips', driver, body],
    ['get /v1/trips', '/v1/trips', operator],
    ['get /v1/trips/{id}', `/v1/trips/${trip.tripId}`, operator],
    ['get /v1/trips/{id}/location', `/v1/trips/${trip.tripId}/location`, asRider(trip.passengerIds[0] as string)],
    ['get /v1/trips/{id}/track', `/v1/trips/${trip.tripId}/track`, operator],
    ['get /v1/trips/nearby', '/v1/trips/nearby?lat=41.15&lng=-8.61', operator],
    ['get /v1/drivers/nearby', '/v1/drivers/nearby?lat=41.15&lng=-8.61', operator],
    ['get /v1/drivers/{id}/location', `/v1/drivers/${trip.driverId}/location`, operator],
    ['put /v1/drivers/me/availability', '/v1/drivers/me/availability', driver, { available: true }],
    ['post /v1/drivers/me/runs', '/v1/drivers/me/runs', driver, {}],
    ['post /v1/drivers/me/fixes', '/v1/drivers/me/fixes', driver, { run: 1, from: 1, fixes: [fix] }],
    ['get /v1/map/roads', '/v1/map/roads?bbox=1,1,2,2', operator],
    ['post /v1/realtime/tickets', '/v1/realtime/tickets', driver],
    ['get /health', '/health', operator],
  ];
  for (const [operation, path, as, content] of samples) {
    const [method, pattern] = operation.split(' ') as [string, string];
    const reply = await api.call(`${method.toUpperCase()} ${path}`, {
      as,
      ...(content !== undefined && { body: content }),
    });
    const described = document.paths[pattern]?.[method]?.responses[reply.status]?.content?.['application/json']?.schema;
    t.ok(described && Compile(described).Check(reply.body), `${operation}: ${JSON.stringify(reply.body)}`);
  }
});

t.test('metrics tell routes and statuses apart, and hold no ids', async (t) => {
  await api.call(`GET /v1/trips/${trip.tripId}`, { as: operator });
  const counted = /http_request_seconds_count\{[^}]*method="GET",route="\/v1\/trips\/:id",status="200"\} \d/;
  // The histogram hears of a request when its last byte has gone out, which the caller may see first.
  const text = await waitFor(
    async () => {
      const metrics = await (await fetch(api.metricsUrl)).text();
      return counted.test(metrics) ? metrics : undefined;
    },
    { withinMs: 10_000, what: 'the metric' },
  );
  t.notOk(text.includes(trip.tripId));
});
