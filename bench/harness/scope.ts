/** Where whatever is started registers how it ends. */
export interface Scope {
  teardown(work: () => unknown): void;
}

export interface ClosableScope extends Scope {
  /** Ends everything, the newest first. A failure is told and keeps nothing else from ending. May be called twice. */
  close(): Promise<void>;
}

export function createScope(onFailure: (error: unknown) => void): ClosableScope {
  const works: (() => unknown)[] = [];
  return {
    teardown(work) {
      works.push(work);
    },
    async close() {
      for (let work = works.pop(); work !== undefined; work = works.pop()) {
        try {
          await work();
        } catch (error) {
          onFailure(error);
        }
      }
    },
  };
}
