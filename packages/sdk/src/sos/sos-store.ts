import type { SosTrigger } from '@hushryd/contracts/http/sos';

/** Where a phone keeps alerts that nobody has answered, so that a restart of the app does not forget them. */
export interface SosStore {
  load(): Promise<SosTrigger[]>;
  /** Replace what is stored. Never called again before the last call settled. */
  save(triggers: SosTrigger[]): Promise<void>;
}

/** Lives as long as the process. */
export function createMemorySosStore(): SosStore {
  let stored: SosTrigger[] = [];
  return {
    load: () => Promise.resolve(stored),
    save(triggers) {
      stored = JSON.parse(JSON.stringify(triggers)) as SosTrigger[];
      return Promise.resolve();
    },
  };
}
