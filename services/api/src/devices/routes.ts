import { DeviceParamsSchema, DeviceReplySchema, PutDeviceBodySchema } from '@hushryd/contracts/http/devices';
import type { DeviceStore } from '@hushryd/outreach/people/devices/device-store';
import type { ApiServer } from '../api-server.ts';
import { NoContentSchema } from '../no-content.ts';

const tags = ['devices'];
const everyone = ['driver', 'rider', 'operator'] as const;

/** Where pushes go. A device is its owner's: the same id of another user is another device. */
export function addDeviceRoutes(app: ApiServer, { devices }: { devices: DeviceStore }): void {
  app.put(
    '/v1/devices/:id',
    {
      config: { roles: everyone },
      schema: {
        tags,
        operationId: 'putDevice',
        summary: 'Register this installation for pushes',
        description:
          'At each start of the app. A token belongs to whoever registered it last. Of more than ten devices the one unheard of for the ' +
          'longest is forgotten.',
        params: DeviceParamsSchema,
        body: PutDeviceBodySchema,
        response: { 200: DeviceReplySchema },
      },
    },
    async ({ identity, params, body }) => {
      const device = await devices.put({ userId: identity.userId, deviceId: params.id }, body);
      return { deviceId: device.deviceId, platform: device.platform, seenAt: device.seenAt.toISOString() };
    },
  );

  app.delete(
    '/v1/devices/:id',
    {
      config: { roles: everyone },
      schema: {
        tags,
        operationId: 'removeDevice',
        summary: 'Send no more pushes to this installation',
        params: DeviceParamsSchema,
        response: { 204: NoContentSchema },
      },
    },
    async ({ identity, params }, reply) => {
      await devices.remove({ userId: identity.userId, deviceId: params.id });
      return reply.code(204).send(null);
    },
  );
}
