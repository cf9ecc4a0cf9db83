import type { FieldCipher } from '@hushryd/platform/crypto/field-cipher';
import {
  type ReEncryptOptions,
  type ReEncryptProgress,
  reEncryptCollection,
} from '@hushryd/platform/crypto/re-encrypt';
import { deadline } from '@hushryd/platform/mongo/deadline';
import type { Db } from 'mongodb';
import { type AlertDocument, alertsCollection } from '../alerts/alert-document.ts';
import type { NotificationDocument } from '../notifications/notification-document.ts';
import { notificationsCollection } from '../notifications/notification-store.ts';
import { reEncryptWords } from '../notifications/sealed-words.ts';
import { createContactSeal } from '../people/contacts/contact-seal.ts';
import { type ContactsDocument, emergencyContactsCollection } from '../people/contacts/contact-store.ts';
import { type DeviceDocument, devicesCollection } from '../people/devices/device-store.ts';
import { createPersonSeal, onCallCollection, type RotaDocument } from '../people/on-call/on-call-document.ts';
import { type SafetyDocument, safetySettingsCollection } from '../people/safety/safety-store.ts';
import type { CopyKeeper } from '../people/versioned/change-versioned.ts';
import { type SealedFact, timelineCollection } from '../timeline/timeline-document.ts';
import { reEncryptAlert, reEncryptFact } from './re-encrypt-alert.ts';

/** A collection with sealed fields, and how they come under the current key. */
export interface SealedCollection {
  readonly name: string;
  reEncrypt(options: ReEncryptOptions): Promise<ReEncryptProgress>;
}

/**
 * Every collection that holds sealed fields. Whoever seals a field anywhere adds it here, or it is lost with its key.
 *
 * @param copies of contacts and of the rota: those of the old text are let go of at once
 */
export function listSealedCollections({
  db,
  cipher,
  copies,
}: {
  db: Db;
  cipher: FieldCipher;
  copies: { contacts: CopyKeeper; onCall: CopyKeeper };
}): SealedCollection[] {
  const contactSeal = createContactSeal(cipher);
  const personSeal = createPersonSeal(cipher);
  const alerts = db.collection<Pick<AlertDocument, '_id' | 'person'>>(alertsCollection.name);
  const sealedAt = (collection: string, id: string, field: string, sealed: string) =>
    cipher.reEncrypt(sealed, { collection, id, field });

  return [
    {
      name: emergencyContactsCollection.name,
      reEncrypt: (options) =>
        reEncryptCollection({
          ...options,
          collection: db.collection<ContactsDocument>(emergencyContactsCollection.name),
          isVersioned: true,
          rewrite({ _id, contacts }) {
            const anew = contacts.map((contact) => contactSeal.reEncrypt(_id, contact));
            if (anew.every((contact) => contact === undefined)) return undefined;
            return { contacts: contacts.map((contact, index) => anew[index] ?? contact) };
          },
          onWritten: ({ _id }) => copies.contacts.settle(_id),
        }),
    },
    {
      name: safetySettingsCollection.name,
      reEncrypt: (options) =>
        reEncryptCollection({
          ...options,
          collection: db.collection<SafetyDocument>(safetySettingsCollection.name),
          isVersioned: true,
          rewrite({ _id, phone }) {
            if (phone === undefined || cipher.isCurrent(phone)) return undefined;
            return { phone: sealedAt(safetySettingsCollection.name, _id, 'phone', phone) };
          },
        }),
    },
    {
      name: devicesCollection.name,
      reEncrypt: (options) =>
        reEncryptCollection({
          ...options,
          collection: db.collection<DeviceDocument>(devicesCollection.name),
          isVersioned: true,
          rewrite({ _id, token }) {
            if (cipher.isCurrent(token)) return undefined;
            return { token: sealedAt(devicesCollection.name, _id, 'token', token) };
          },
        }),
    },
    {
      name: onCallCollection.name,
      reEncrypt: (options) =>
        reEncryptCollection({
          ...options,
          collection: db.collection<RotaDocument>(onCallCollection.name),
          isVersioned: true,
          rewrite({ people }) {
            const isCurrent = people.every(
              ({ name, phone, email }) =>
                cipher.isCurrent(name) && cipher.isCurrent(phone) && (email === undefined || cipher.isCurrent(email)),
            );
            return isCurrent ? undefined : { people: people.map((person) => personSeal.seal(personSeal.open(person))) };
          },
          onWritten: ({ _id }) => copies.onCall.settle(_id),
        }),
    },
    {
      name: alertsCollection.name,
      // Not by version: that rises with what people see, and an outbox moves without it.
      reEncrypt: (options) =>
        reEncryptCollection({
          ...options,
          collection: db.collection<AlertDocument>(alertsCollection.name),
          rewrite: (alert) => reEncryptAlert(alert, { cipher, contactSeal }),
        }),
    },
    {
      name: timelineCollection.name,
      reEncrypt: (options) =>
        reEncryptCollection({
          ...options,
          collection: db.collection<SealedFact>(timelineCollection.name),
          async rewrite(fact) {
            if (fact.text === undefined || cipher.isCurrent(fact.text.sealed)) return undefined;
            const alert = await alerts.findOne(
              { _id: fact.alertId },
              { projection: { person: 1 }, ...deadline(5_000) },
            );
            const anew = alert === null ? undefined : reEncryptFact(fact, alert.person.userId, cipher);
            return anew?.text && { text: anew.text };
          },
        }),
    },
    {
      name: notificationsCollection.name,
      reEncrypt: (options) =>
        reEncryptCollection({
          ...options,
          collection: db.collection<NotificationDocument>(notificationsCollection.name),
          rewrite: (notification) => reEncryptWords(cipher, notification),
        }),
    },
  ];
}
