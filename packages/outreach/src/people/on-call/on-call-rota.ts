import type { OnCallOverride, PutOnCallBody } from '@hushryd/contracts/http/on-call';
import { AppError } from '@hushryd/platform/errors/app-error';
import { type CopyKeeper, changeVersioned } from '../versioned/change-versioned.ts';
import type { VersionedStore } from '../versioned/versioned-store.ts';
import {
  emptyRota,
  type OnCallPerson,
  type PersonSeal,
  type Rota,
  type RotaDocument,
  rotaId,
} from './on-call-document.ts';
import { isTimeZone } from './who-is-on-call.ts';

export interface OnCallRota {
  read(): Promise<Rota>;
  /** @throws AppError `version_conflict`, `request_invalid` */
  put(wish: PutOnCallBody): Promise<Rota>;
  /** Add or replace one, by the caller's id. @throws AppError `request_invalid` */
  putOverride(overrideId: string, wish: OnCallOverride): Promise<Rota>;
  /** One that is not there is as gone as it should be. */
  removeOverride(overrideId: string): Promise<Rota>;
}

const maxOverrides = 200;

/**
 * Who is called when an alert is not answered: levels with weekly shifts, and exceptions from them.
 *
 * @param copies for alerts that come while MongoDB is away (see on-call-reader.ts)
 * @throws AppError `database_unavailable`, `redis_unavailable` (see change-versioned.ts); the same may be asked again
 */
export function createOnCallRota({
  store,
  seal,
  copies,
  now = Date.now,
}: {
  store: VersionedStore<RotaDocument>;
  seal: PersonSeal;
  copies: CopyKeeper;
  now?: () => number;
}): OnCallRota {
  async function change(decide: (rota: Rota) => Omit<Rota, 'version'> | undefined): Promise<Rota> {
    const document = await changeVersioned({
      store,
      copies,
      id: rotaId,
      decide: (current) => decide(current ?? emptyRota),
      now,
    });
    return document ?? emptyRota;
  }

  /** Nobody is shown numbers, so who changes a shift sends them back empty. */
  function toPerson(wish: PutOnCallBody['people'][number], stored: Rota): OnCallPerson {
    const sealed = stored.people.find(({ personId }) => personId === wish.personId);
    const known = sealed && seal.show(sealed);
    if (known?.isUnreadable && wish.phone === undefined) {
      refuse(
        `what is stored of ${wish.personId} is not readable: send the phone again, and the email where there is one`,
      );
    }
    const phone = wish.phone ?? known?.phone;
    const email = wish.email ?? known?.email;
    if (phone === undefined) refuse(`${wish.personId} is new and wants a phone`);
    return { ...wish, phone, ...(email !== undefined && { email }) };
  }

  return {
    read: async () => (await store.find(rotaId)) ?? emptyRota,

    async put({ version, timeZone, people, levels }) {
      if (!isTimeZone(timeZone)) refuse('the time zone is not known');
      let written: Omit<Rota, 'version'> | undefined;
      return change((rota) => {
        // Its own write, whose answer was lost: nobody else's encryption gives the same text.
        if (written !== undefined && rota.people[0]?.phone === written.people[0]?.phone) return undefined;
        if (rota.version !== version) throw new AppError('version_conflict');
        const next = {
          timeZone,
          people: people.map((wish) => seal.seal(toPerson(wish, rota))),
          levels,
          overrides: rota.overrides.filter(({ until }) => Date.parse(until) > now()),
        };
        checkPeople(next);
        written = next;
        return next;
      });
    },

    putOverride: (overrideId, wish) =>
      change((rota) => {
        if (Date.parse(wish.from) >= Date.parse(wish.until)) refuse('it ends before it begins');
        const { version: _version, ...rest } = rota;
        const stored = rota.overrides.find((one) => one.overrideId === overrideId);
        if (stored !== undefined && isSame(stored, wish)) return undefined;
        const others = rota.overrides.filter((one) => one !== stored && Date.parse(one.until) > now());
        if (others.length >= maxOverrides) refuse(`there are ${maxOverrides} already`);
        const next = { ...rest, overrides: [...others, { overrideId, ...wish }] };
        checkPeople(next);
        return next;
      }),

    removeOverride: (overrideId) =>
      change((rota) => {
        const { version: _version, ...rest } = rota;
        const overrides = rota.overrides.filter((one) => one.overrideId !== overrideId);
        return overrides.length === rota.overrides.length ? undefined : { ...rest, overrides };
      }),
  };
}

/** A level must not name somebody who has no number. */
function checkPeople({ people, levels, overrides }: Omit<Rota, 'version'>): void {
  const known = new Set(people.map(({ personId }) => personId));
  if (known.size < people.length) refuse('a person is on it twice');
  const named = [...levels.flatMap(({ shifts }) => shifts), ...overrides].flatMap(({ personIds }) => personIds);
  const stranger = named.find((personId) => !known.has(personId));
  if (stranger !== undefined) refuse(`${stranger} has a shift or an override, and is not among the people`);
  if (overrides.some(({ level }) => level >= levels.length)) refuse('an override is of a level that there is not');
}

function isSame(stored: OnCallOverride, wish: OnCallOverride): boolean {
  const facts = ({ level, personIds, from, until }: OnCallOverride) => JSON.stringify([level, personIds, from, until]);
  return facts(stored) === facts(wish);
}

function refuse(detail: string): never {
  throw new AppError('request_invalid', { detail });
}
