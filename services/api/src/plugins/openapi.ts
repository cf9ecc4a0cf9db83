import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { ProblemSchema } from '@hushryd/contracts/http/problem';
import Type from 'typebox';
import type { ApiServer } from '../api-server.ts';
import { NoBodySchema } from '../no-body.ts';

export const referencePath = '/docs';

/** OpenAPI 3.1 made from the routes' schemas. Register before the routes: it hears of each as it is added. */
export async function addOpenApi(app: ApiServer): Promise<void> {
  app.addSchema(ProblemSchema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'HushRyd API',
        version: '1',
        description:
          'Trips, live positions and tracks. Times are ISO 8601 in UTC, coordinates WGS 84 degrees, distances metres. ' +
          'Errors are problem details (RFC 9457) with a stable `code` and the `correlationId` of the request.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [
        { name: 'trips', description: 'Planning, riding and reading trips' },
        { name: 'drivers', description: 'What a driver does, and where drivers are' },
        { name: 'sos', description: 'Calling for help, and what is done about it' },
        { name: 'map', description: 'What the operators map is drawn from' },
        { name: 'realtime', description: 'Ways into the websocket, and who is connected' },
        { name: 'sessions', description: 'Ending sessions before their tokens run out' },
        { name: 'contacts', description: 'Whom an SOS reaches' },
        { name: 'safety', description: 'PINs, language and number for an emergency' },
        { name: 'devices', description: 'Where pushes go' },
        { name: 'on-call', description: 'Who is called when an alert is not answered' },
        { name: 'notifications', description: 'What was sent and what became of it; what a person wants to be told' },
        { name: 'health', description: 'How this node is' },
      ],
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      },
    },
    refResolver: { buildLocalReference: (schema, _base, _fragment, index) => String(schema.$id ?? `def-${index}`) },
    transform({ schema, url }) {
      const { body, ...rest } = schema;
      return { schema: body === undefined || body === NoBodySchema ? rest : { ...rest, body }, url };
    },
  });
  await app.register(swaggerUi, {
    routePrefix: referencePath,
    uiConfig: { url: '/openapi.json' },
    // The page needs scripts and styles of its own, and to call us.
    staticCSP:
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'",
  });

  app.get(
    '/openapi.json',
    {
      schema: {
        tags: ['health'],
        operationId: 'getOpenApi',
        summary: 'This description',
        response: { 200: Type.Any() },
      },
      config: { roles: 'anyone' },
      serializerCompiler: () => JSON.stringify,
    },
    () => app.swagger(),
  );
}
