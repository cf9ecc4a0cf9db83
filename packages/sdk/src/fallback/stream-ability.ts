/** Can this runtime, and the network that it is in, deliver an answer piece by piece? One for all that is followed. */
export interface StreamAbility {
  readonly canStream: boolean;
  /** The runtime has no way to read an answer before it is complete. */
  noteUnreadable(): void;
  /** Streams brought nothing, and the same was answered when asked for as a whole: something on the way holds them back. */
  noteHeldBack(): void;
  /** A stream brought something, or the network may be another. */
  noteOpen(): void;
}

export function createStreamAbility(): StreamAbility {
  let isReadable = true;
  let isHeldBack = false;
  return {
    get canStream() {
      return isReadable && !isHeldBack;
    },
    noteUnreadable() {
      isReadable = false;
    },
    noteHeldBack() {
      isHeldBack = true;
    },
    noteOpen() {
      isHeldBack = false;
    },
  };
}
