import type { PutContactBody } from '@hushryd/contracts/http/contacts';
import type { PutOnCallBody } from '@hushryd/contracts/http/on-call';

/**
 * Nobody has these numbers: 555-0100 to 555-0199 are kept for stories. What goes there ends in the inbox of this machine; the button that
 * uses them is offered only where no real company is set up.
 */
export const madeUpContacts: readonly { contactId: string; contact: PutContactBody }[] = [
  {
    contactId: 'mira',
    contact: {
      name: 'Mira',
      relation: 'sister',
      phone: '+12025550143',
      email: 'mira@example.com',
      locale: 'en',
      channels: ['sms', 'whatsapp', 'email'],
    },
  },
  {
    contactId: 'arjun',
    contact: { name: 'Arjun', relation: 'flatmate', phone: '+12025550178', locale: 'hi', channels: ['sms', 'voice'] },
  },
];

const everyDay = [1, 2, 3, 4, 5, 6, 7];
const roundTheClock = (personIds: string[]) => [{ days: everyDay, from: '00:00', until: '24:00', personIds }];
const onCall = (personId: string, name: string, phone: string) => ({
  personId,
  name,
  phone,
  locale: 'en',
  channels: ['voice' as const, 'sms' as const],
});

/** Three people one after the other, for a system where nobody is on call yet. */
export const madeUpRota: PutOnCallBody = {
  version: 0,
  timeZone: 'UTC',
  people: [
    onCall('asha', 'Asha', '+12025550111'),
    onCall('bruno', 'Bruno', '+12025550122'),
    onCall('chen', 'Chen', '+12025550133'),
  ],
  levels: [
    { name: 'On call', shifts: roundTheClock(['asha']) },
    { name: 'Second in line', shifts: roundTheClock(['bruno']) },
    { name: 'Head of safety', shifts: roundTheClock(['chen']) },
  ],
};
