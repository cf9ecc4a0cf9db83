import type { DeviceReply, PutDeviceBody } from '@hushryd/contracts/http/devices';
import type { NotificationPreferences } from '@hushryd/contracts/http/notifications';
import type { Ask } from './ask.ts';

/** What a person is told: on which devices, what, and when. Every call may throw `HttpProblem`. */
export interface NotificationRequests {
  /** At each start of the app, with an id made once for this installation: pushes come here from now on. */
  putDevice(deviceId: string, device: PutDeviceBody): Promise<DeviceReply>;
  /** No more pushes to this installation; to be asked before `signOut`, which leaves no token to ask with. */
  removeDevice(deviceId: string): Promise<void>;
  /** The app has shown a push, by the `notificationId` in its data: this counts as its delivery. */
  seenNotification(notificationId: string): Promise<void>;
  getNotificationPreferences(): Promise<NotificationPreferences>;
  /** Replaces them as a whole. Critical messages and one-time codes come all the same. */
  putNotificationPreferences(preferences: NotificationPreferences): Promise<NotificationPreferences>;
}

export function createNotificationRequests({
  get,
  put,
  done,
}: Pick<Ask, 'get' | 'put' | 'done'>): NotificationRequests {
  const devicePath = (deviceId: string): string => `/v1/devices/${encodeURIComponent(deviceId)}`;
  const preferencesPath = '/v1/users/me/notification-preferences';
  return {
    putDevice: (deviceId, device) => put(devicePath(deviceId), device),
    removeDevice: (deviceId) => done({ method: 'DELETE', path: devicePath(deviceId) }),
    seenNotification: (notificationId) =>
      done({ method: 'POST', path: `/v1/notifications/${encodeURIComponent(notificationId)}/seen`, body: {} }),
    getNotificationPreferences: () => get(preferencesPath),
    putNotificationPreferences: (preferences) => put(preferencesPath, preferences),
  };
}
