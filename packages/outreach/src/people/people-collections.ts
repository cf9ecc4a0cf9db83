import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { codeBudgetsCollection } from './codes/code-budgets.ts';
import { oneTimeCodesCollection } from './codes/code-challenges.ts';
import { emergencyContactsCollection } from './contacts/contact-store.ts';
import { devicesCollection } from './devices/device-store.ts';
import { onCallCollection } from './on-call/on-call-document.ts';
import { pinTriesCollection } from './safety/pin-tries.ts';
import { safetySettingsCollection } from './safety/safety-store.ts';

/** What outreach knows of people. */
export const peopleCollections: readonly CollectionDeclaration[] = [
  emergencyContactsCollection,
  safetySettingsCollection,
  pinTriesCollection,
  oneTimeCodesCollection,
  codeBudgetsCollection,
  devicesCollection,
  onCallCollection,
];
