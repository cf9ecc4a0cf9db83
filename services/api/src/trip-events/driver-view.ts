import type { Position } from '@hushryd/contracts/fix';
import type { BeaconFrame, ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { isOlder } from '@hushryd/tracking/feed/live-positions';

/** Where one stream's client is told the driver to be. */
export interface DriverView {
  /** Read for this stream. */
  catchUp(position: Position): void;
  /** From the live positions; undefined when the driver is gone. */
  onPosition(position: Position | undefined): void;
  /** Tell the newest, but not what the client has already (`run-seq-state`); changes are told from here on. */
  goLive(known: string | undefined): void;
  /** The reader has room again. */
  drained(): void;
  /** What was told last, as a beacon says it. */
  readonly place: Pick<BeaconFrame, 'run' | 'seq' | 'state' | 'tripId' | 'gone'> | undefined;
}

/**
 * Positions come by the feed, by its repairs and by a read, in any order and more than once; (run, seq) decides, so none goes back.
 * Where the driver goes without this trip is not its business. For a slow reader the newest replaces what it was not told.
 */
export function createDriverView({
  tripId,
  driverId,
  topic,
  isSlow,
  say,
  onConflated,
}: {
  tripId: string;
  driverId: string;
  topic: string;
  isSlow: () => boolean;
  say: (frame: ServerFrame) => void;
  onConflated: () => void;
}): DriverView {
  let isLive = false;
  let heard: Position | undefined;
  let isGone = false;
  let isOwed = false;

  function onPosition(position: Position | undefined): void {
    if (position === undefined) {
      if (heard === undefined || isGone) return;
      isGone = true;
    } else {
      if (position.tripId !== tripId || !isNews(position)) return;
      heard = position;
      isGone = false;
    }
    if (!isLive) return;
    if (!isSlow()) tell(false);
    else {
      if (isOwed) onConflated();
      isOwed = true;
    }
  }

  function isNews(position: Position): boolean {
    if (heard === undefined || isOlder(heard, position)) return true;
    return !isGone && !isOlder(position, heard) && position.state !== heard.state;
  }

  function tell(isJump: boolean): void {
    isOwed = false;
    if (heard === undefined) return;
    if (isGone) say({ type: 'gone', topic, driverId });
    else say({ type: 'position', topic, position: heard, ...(isJump && { jump: true }) });
  }

  return {
    catchUp(position) {
      // The same fix read again says nothing new: its state may be from before what the feed brought meanwhile.
      if (heard === undefined || isOlder(heard, position)) onPosition(position);
    },
    onPosition,
    goLive(known) {
      isLive = true;
      if (heard !== undefined && !isGone && nameOf(heard) !== known) tell(false);
    },
    drained() {
      if (isOwed) tell(true);
    },
    get place(): DriverView['place'] {
      if (heard === undefined) return undefined;
      if (isGone) return { gone: true };
      return { run: heard.run, seq: heard.seq, state: heard.state, tripId };
    },
  };
}

const nameOf = ({ run, seq, state }: Position): string => `${run}-${seq}-${state}`;
