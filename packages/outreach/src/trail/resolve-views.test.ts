import { AppError } from '@hushryd/platform/errors/app-error';
import t from 'tap';
import { createAlertAccess } from '../alerts/alert-access.ts';
import { createResolveViews } from './resolve-views.ts';

const alertOf = (alertId: string, userId: string) => ({
  _id: alertId,
  open: true,
  person: { userId, role: 'rider' as const },
  trigger: { triggeredAt: '2026-03-01T08:00:00.000Z', tripId: `trip-of-${userId}` },
  triggerIds: [alertId],
  acceptedAt: new Date(),
});
const alerts = [alertOf('a-1', 'rita'), alertOf('a-2', 'lost')];
const ask = (alertId: string, userId: string, role: 'rider' | 'operator' = 'rider') => ({ alertId, userId, role });

t.test('one list that cannot be read decides nothing for others', async (t) => {
  const contacts = [{ contactId: 'c', userId: 'asha' }] as never;
  const access = createAlertAccess({
    readOutreachList: async (userId) => (userId === 'lost' ? undefined : { contacts, version: 1 }),
  });
  const resolveViews = createResolveViews({ access, trail: { tripOf: async () => undefined } });

  const questions = [
    ask('a-2', 'asha'),
    ask('a-1', 'asha'),
    ask('a-1', 'removed'),
    ask('a-2', 'olga', 'operator'),
    ask('a-2', 'lost'),
  ];
  t.same(await resolveViews(questions, alerts), [
    'unknown',
    { as: 'contact' },
    null,
    { as: 'staff' },
    { as: 'person' },
  ]);
});

t.test('a trip that cannot be looked up is left out, and nobody for it', async (t) => {
  const access = createAlertAccess({ readOutreachList: async () => ({ contacts: [], version: 1 }) });
  const tripOf = async ({ _id }: { _id: string }) => {
    if (_id === 'a-2') throw new AppError('access_unavailable');
    return { tripId: 'trip-of-rita', driverId: 'dora' };
  };
  const resolveViews = createResolveViews({ access, trail: { tripOf } as never });

  t.same(await resolveViews([ask('a-1', 'rita'), ask('a-2', 'lost')], alerts), [
    { as: 'person', tripId: 'trip-of-rita', driverId: 'dora' },
    { as: 'person' },
  ]);
});
