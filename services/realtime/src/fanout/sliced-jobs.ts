/** A job that stops now and then (`yield`), to be asked whether it may go on. */
export type SlicedJob = Generator<void, void, void>;

export interface SlicedJobs {
  /**
   * Do this after all that was asked before. Begins in a later turn of the event loop.
   *
   * @returns when it is done; rejects with what it threw
   */
  run(job: SlicedJob): Promise<void>;
}

/** So long a job holds the loop before sockets and fixes have their turn. */
const sliceMs = 4;

/**
 * Long computations one after another, in slices of some milliseconds. Jobs never overlap, so that they may share what they work on.
 *
 * Bounded by whoever asks: nothing here limits how many wait.
 */
export function createSlicedJobs(): SlicedJobs {
  let last: Promise<void> = Promise.resolve();

  function finish(job: SlicedJob): Promise<void> {
    return new Promise((resolve, reject) => {
      const goOn = () => {
        const startMs = performance.now();
        try {
          while (performance.now() - startMs < sliceMs) if (job.next().done) return resolve();
        } catch (error) {
          return reject(error);
        }
        setImmediate(goOn);
      };
      setImmediate(goOn);
    });
  }

  return {
    run(job) {
      const done = last.then(() => finish(job));
      last = done.catch(() => undefined);
      return done;
    },
  };
}
