import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb';
import { AppError } from '../errors/app-error.ts';

/** Options that bound one operation. */
export interface DeadlineOptions {
  readonly signal: AbortSignal;
  readonly maxTimeMS: number;
}

/**
 * Options that end one MongoDB operation after `ms`, to be spread into the options of any operation:
 * `collection.updateOne(filter, update, { upsert: true, ...deadline(settings.deadlineMs) })`.
 *
 * The signal ends our side: driver 7.9 ignores every timeout option of its own against a hung server (measured: `timeoutMS`,
 * `socketTimeoutMS` and `maxTimeMS` still waited after 6 s, the signal ended find and insert after 802 ms of 800). `maxTimeMS` lets
 * the server give up too. The driver takes the signal on every operation but names it in few of its types; a spread passes all.
 *
 * One exception: `db.createCollection` sends the signal to the server as a field. Use `db.command({ create: name }, …)`.
 *
 * An operation that ended at its signal is *unknown*, not failed: the server may still apply it (measured: 5 of 5 aborted inserts
 * were). Retry with the same client-made id.
 */
export function deadline(ms: number): DeadlineOptions {
  return { signal: AbortSignal.timeout(ms), maxTimeMS: ms };
}

/**
 * What is known about an operation that threw: `not_sent` (the server never saw it), `unknown` (it may or may not have been
 * applied, or not by a majority yet), or `answered` (the server said no: a duplicate key, a failed validation).
 */
export type MongoOutcome = 'not_sent' | 'unknown' | 'answered';

/** Reads the outcome off whatever an operation threw, or off what `toMongoError` made of it. */
export function mongoOutcome(error: unknown): MongoOutcome {
  if (error instanceof AppError) return error.cause === undefined ? 'unknown' : mongoOutcome(error.cause);
  if (error instanceof MongoBulkWriteError) return bulkOutcome(error);
  if (wasNeverSent(error)) return 'not_sent';
  return isInterruption(error) ? 'unknown' : 'answered';
}

/**
 * What to throw when a MongoDB operation threw.
 *
 * @returns AppError `database_unavailable` (retryable) with the outcome as its detail when the database could not be asked or did not
 * answer; the error itself when the server answered, because only the caller knows what a duplicate key means to it
 */
export function toMongoError(error: unknown): Error {
  if (error instanceof AppError) return error;
  const outcome = mongoOutcome(error);
  if (outcome !== 'answered') return new AppError('database_unavailable', { detail: outcome, cause: error });
  return error instanceof Error ? error : new Error(String(error), { cause: error });
}

/** Whether a unique index refused a document: the usual answer to a retry of something that had been applied. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 11000;
}

/** Whether the server refused what it was asked: of a write of many documents, maybe for one of them alone. */
export function isRefusal(error: unknown): boolean {
  return mongoOutcome(error) === 'answered';
}

/** A bulk write hides what stopped it in `errorResponse`; batches before that one may have been applied. */
function bulkOutcome(error: MongoBulkWriteError): MongoOutcome {
  const stoppedBy: unknown = error.errorResponse;
  if (!(stoppedBy instanceof Error)) return isInterruptedByServer(error) ? 'unknown' : 'answered';
  const outcome = mongoOutcome(stoppedBy);
  const { insertedCount, matchedCount, deletedCount, upsertedCount } = error.result;
  return outcome === 'not_sent' && insertedCount + matchedCount + deletedCount + upsertedCount > 0
    ? 'unknown'
    : outcome;
}

function wasNeverSent(error: unknown): boolean {
  return (
    error instanceof MongoServerSelectionError ||
    error instanceof MongoTopologyClosedError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoClientClosedError ||
    // The driver does not export what its pool throws while an operation still waits for a connection.
    (error instanceof Error && poolErrors.has(error.name))
  );
}

const poolErrors = new Set(['MongoWaitQueueTimeoutError', 'MongoPoolClearedError', 'MongoPoolClosedError']);

function isInterruption(error: unknown): boolean {
  if (error instanceof MongoOperationTimeoutError || error instanceof MongoNetworkError) return true;
  if (error instanceof MongoServerError) return isInterruptedByServer(error);
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
}

function isInterruptedByServer(error: MongoServerError): boolean {
  return (
    interruptions.has(Number(error.code)) ||
    error.hasErrorLabel('RetryableWriteError') ||
    error instanceof MongoWriteConcernError
  );
}

/** Server codes of an operation that was cut off on its way or met a broken server: it may have been applied, or not by a majority. */
const interruptions = new Set([
  1, // InternalError, which is also how SecantusDB says that its disk is full
  6, // HostUnreachable
  7, // HostNotFound
  50, // MaxTimeMSExpired
  64, // WriteConcernTimeout
  89, // NetworkTimeout
  91, // ShutdownInProgress
  189, // PrimarySteppedDown
  262, // ExceededTimeLimit
  9001, // SocketException
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11602, // InterruptedDueToReplStateChange
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
  14031, // OutOfDiskSpace
]);
