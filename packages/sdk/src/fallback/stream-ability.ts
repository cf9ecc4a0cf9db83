/** Can this runtime, and the network that it is in, deliver an answer piece by piece? */
export interface StreamAbility {
  readonly canStream: boolean;
  /** The runtime has no way to read an answer before it is complete. */
  noteUnreadable(): void;
  /** A stream brought nothing for too long: something on the way may hold it back. */
  noteSilent(): void;
  noteHeard(): void;
}

const maxSilent = 2;

export function createStreamAbility(): StreamAbility {
  let isReadable = true;
  let silentInARow = 0;
  return {
    get canStream() {
      return isReadable && silentInARow < maxSilent;
    },
    noteUnreadable() {
      isReadable = false;
    },
    noteSilent() {
      silentInARow += 1;
    },
    noteHeard() {
      silentInARow = 0;
    },
  };
}
