import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useBackend } from '../../data/backend.ts';

const keptMs = 60_000;

/** Who a member of the staff is, in words: `you`, the name where the rota has one, else the id. */
export function useStaffName(): (userId: string | undefined) => string {
  const { http, user } = useBackend();
  const rota = useQuery({ queryKey: ['on-call'], queryFn: () => http.getOnCall(), staleTime: keptMs });
  const people = rota.data?.people;
  return useCallback(
    (userId) => {
      if (userId === undefined) return 'somebody';
      if (userId === user.userId) return 'you';
      return people?.find(({ personId }) => personId === userId)?.name ?? userId;
    },
    [people, user.userId],
  );
}

/** What emergency contacts of a person are called, by their id. */
export function useContactNames(userId: string): (contactId: string) => string {
  const { http } = useBackend();
  const contacts = useQuery({
    queryKey: ['contacts', userId],
    queryFn: () => http.listContactsOf(userId),
    staleTime: keptMs,
  });
  const known = contacts.data?.contacts;
  return useCallback(
    (contactId) => {
      const contact = known?.find((candidate) => candidate.contactId === contactId);
      const name = contact?.name ?? `Contact ${contactId}`;
      return contact?.relation === undefined ? name : `${name} (${contact.relation})`;
    },
    [known],
  );
}
