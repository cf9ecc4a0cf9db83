import type { OnCallLevel, OnCallOverride } from '@hushryd/contracts/http/on-call';
import type { Channel } from '@hushryd/contracts/person';
import type { FieldCipher, FieldPlace, SealedText } from '@hushryd/platform/crypto/field-cipher';
import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { showReadable } from '../show-readable.ts';
import type { VersionedDocument } from '../versioned/versioned-store.ts';

export const onCallCollection: CollectionDeclaration = { name: 'on_call', indexes: [] };

/** There is one. */
export const rotaId = 'rota';

/** Who may be called, as it is stored and cached: what says who it is, is encrypted. */
export interface SealedPerson {
  personId: string;
  name: SealedText;
  phone: SealedText;
  email?: SealedText;
  locale: string;
  channels: Channel[];
}

/** The same, readable. */
export interface OnCallPerson {
  personId: string;
  name: string;
  phone: string;
  email?: string;
  locale: string;
  channels: Channel[];
}

/** For whoever manages the rota: what cannot be decrypted is left out. */
export type ShownPerson = Omit<OnCallPerson, 'name' | 'phone'> &
  Partial<Pick<OnCallPerson, 'name' | 'phone'>> & { isUnreadable?: true };

/** The rota without what only its store needs; safe in JSON. */
export interface Rota {
  /** 0 where none was ever written. */
  version: number;
  timeZone: string;
  people: SealedPerson[];
  levels: OnCallLevel[];
  /** In the order in which they were added. */
  overrides: (OnCallOverride & { overrideId: string })[];
}

export type RotaDocument = VersionedDocument & Rota;

export const emptyRota: Rota = { version: 0, timeZone: 'UTC', people: [], levels: [], overrides: [] };

export interface PersonSeal {
  seal(person: OnCallPerson): SealedPerson;
  /** @throws AppError `internal` */
  open(sealed: SealedPerson): OnCallPerson;
  /** As much of it as can be read. */
  show(sealed: SealedPerson): ShownPerson;
}

const placeOf = (personId: string, field: string): FieldPlace => ({
  collection: 'on_call',
  id: rotaId,
  field: `people.${personId}.${field}`,
});

export function createPersonSeal(cipher: FieldCipher): PersonSeal {
  const each = <Person extends OnCallPerson>(person: Person, convert: (text: string, place: FieldPlace) => string) => {
    const at = (field: string) => placeOf(person.personId, field);
    return {
      ...person,
      name: convert(person.name, at('name')),
      phone: convert(person.phone, at('phone')),
      ...(person.email !== undefined && { email: convert(person.email, at('email')) }),
    };
  };
  return {
    seal: (person) => each(person, cipher.encrypt),
    open: (sealed) => each(sealed, cipher.decrypt),
    show: (sealed) =>
      showReadable(cipher, sealed, {
        fields: ['name', 'phone', 'email'],
        placeOf: (field) => placeOf(sealed.personId, field),
      }),
  };
}
