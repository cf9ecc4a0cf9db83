import type { CancelTimer, Runtime } from '../connection/runtime.ts';
import type { KeptFix } from './run-of-fixes.ts';

/** The queue as it is kept over a restart of the app. Plain JSON. */
export interface StoredFixes {
  version: 1;
  runs: { run?: number; fixes: KeptFix[] }[];
}

/** Where a phone keeps its fixes while the app is not running: a file, a row, a key. */
export interface FixStore {
  load(): Promise<StoredFixes | undefined>;
  /** Replace what is stored. Never called again before the last call settled. */
  save(fixes: StoredFixes): Promise<void>;
}

/** Lives as long as the process: hands a queue from one client to the next, and stands in for a real store in tests. */
export function createMemoryFixStore(): FixStore {
  let stored: StoredFixes | undefined;
  return {
    load: () => Promise.resolve(stored),
    save(fixes) {
      stored = structuredCopy(fixes);
      return Promise.resolve();
    },
  };
}

export interface StoreWriter {
  /** Something changed: save soon. */
  note(): void;
  /** Save now what is not saved yet. */
  flush(): Promise<void>;
}

const saveEveryMs = 1000;

/** Saves at most once a second and one at a time: a phone that dies loses at most its last second. */
export function createStoreWriter(input: {
  store: FixStore;
  snapshot: () => StoredFixes;
  runtime: Runtime;
  onError: (error: unknown) => void;
}): StoreWriter {
  const { store, snapshot, runtime, onError } = input;
  let isDirty = false;
  let cancelTimer: CancelTimer | undefined;
  let saving = Promise.resolve();

  return {
    note() {
      isDirty = true;
      cancelTimer ??= runtime.setTimer(() => void save(), saveEveryMs);
    },
    flush() {
      cancelTimer?.();
      return save();
    },
  };

  function save(): Promise<void> {
    saving = saving.then(async () => {
      cancelTimer = undefined;
      if (!isDirty) return;
      isDirty = false;
      await store.save(snapshot());
    });
    saving = saving.catch(onError);
    return saving;
  }
}

function structuredCopy<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
