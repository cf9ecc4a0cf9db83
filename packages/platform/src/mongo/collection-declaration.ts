import type { Document, IndexDescription, TimeSeriesCollectionOptions } from 'mongodb';

/** What a domain package says about one of its collections. */
export interface CollectionDeclaration {
  readonly name: string;
  /** Makes it a time-series collection; its TTL is `options.expireAfterSeconds`. */
  readonly timeseries?: TimeSeriesCollectionOptions;
  /** Further fields of MongoDB's `create` command: `expireAfterSeconds`, `validator`, `validationLevel`, … */
  readonly options?: Readonly<Document>;
  readonly indexes: readonly IndexDescription[];
}
