/** What was started, to be ended in reverse order. */
export interface Closing {
  add(step: ClosingStep): void;
  /** End everything, the newest first. A step that fails is told and the others go on. @returns false when one failed */
  close(): Promise<boolean>;
  /** Everything at once, without order. */
  force(): Promise<void>;
}

export interface ClosingStep {
  readonly name: string;
  readonly stop: () => Promise<unknown>;
  /** Where a step knows a quicker way than `stop`. */
  readonly kill?: () => unknown;
}

export function createClosing({ tell }: { tell: (sentence: string) => void }): Closing {
  // A step leaves when it has ended, not when its end begins: force() has to reach one that hangs.
  const steps: ClosingStep[] = [];
  return {
    add: (step) => void steps.push(step),
    async close() {
      let isClean = true;
      for (let step = steps.at(-1); step; step = steps.at(-1)) {
        try {
          await step.stop();
        } catch (error) {
          isClean = false;
          tell(`${step.name} did not end as it should: ${error instanceof Error ? error.message : String(error)}`);
        }
        steps.splice(steps.indexOf(step), 1);
      }
      return isClean;
    },
    async force() {
      await Promise.allSettled(steps.map(async (step) => (step.kill ?? step.stop)()));
    },
  };
}
