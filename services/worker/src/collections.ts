import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { driversCollection } from '@hushryd/rides/people/driver-store';
import { revocationsCollection } from '@hushryd/rides/people/revocation-store';
import { tripsCollection } from '@hushryd/rides/trips/trip-store';
import { declareLocationHistory } from '@hushryd/tracking/history/history-store';
import { declareRoads } from '@hushryd/tracking/history/road-store';
import type { WorkerConfig } from './config.ts';

/** Every collection of the product. Its owner declares it; this list is what `--ensure-collections` and each start create. */
export function declareCollections({
  history,
  roads,
}: Pick<WorkerConfig, 'history' | 'roads'>): CollectionDeclaration[] {
  return [
    tripsCollection,
    driversCollection,
    revocationsCollection,
    declareLocationHistory(history),
    declareRoads(roads),
  ];
}
