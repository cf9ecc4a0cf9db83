import { adminMapTopic } from '@hushryd/contracts/realtime/topics';
import type { Connection } from '../connections/connection.ts';

/** One operator's part in the map, as far as telling it goes. */
export interface MapWatcher {
  readonly connection: Connection;
  /** Ids of vehicles or clusters still to be told of in this round. */
  left: string[];
  /** What an id of `left` stands for at this moment, as JSON; undefined: it is gone. */
  take(id: string): string | undefined;
  shown: 'vehicles' | 'clusters';
  /** This round names everything that is there. */
  isSnapshot: boolean;
  /** One frame is due even if nothing is left to tell. */
  isFrameDue: boolean;
  /** Takes so much that it will be told more in the next turn of the event loop. */
  isGoingOn: boolean;
}

export interface MapTeller {
  /** Send what is left, as far as the socket takes it at once. */
  tell(watcher: MapWatcher): void;
}

const maxItems = 200;
const maxFrameBytes = 24_576;
/** Frames in a row to one operator before the event loop does something else. */
const maxFramesAtOnce = 20;

/**
 * Hands operators their rounds: at most 200 vehicles or clusters a frame, the next frame when the last has left.
 */
export function createMapTeller({
  isWatching,
  now,
}: {
  isWatching: (watcher: MapWatcher) => boolean;
  now: () => number;
}): MapTeller {
  function tell(watcher: MapWatcher): void {
    const { connection } = watcher;
    for (let frames = 0; frames < maxFramesAtOnce && connection.bufferedBytes === 0; frames += 1) {
      if (watcher.left.length === 0 && !watcher.isFrameDue) return;
      if (!connection.send(nextFrame(watcher), 'map')) return;
    }
    if (connection.bufferedBytes === 0) goOn(watcher);
  }

  /** Nothing is buffered, so no drain will ask for more. */
  function goOn(watcher: MapWatcher): void {
    if (watcher.left.length === 0 || watcher.isGoingOn) return;
    watcher.isGoingOn = true;
    setImmediate(() => {
      watcher.isGoingOn = false;
      if (isWatching(watcher)) tell(watcher);
    });
  }

  function nextFrame(watcher: MapWatcher): string {
    const { left } = watcher;
    const there: string[] = [];
    const gone: string[] = [];
    for (let bytes = 0; left.length > 0 && bytes < maxFrameBytes && there.length + gone.length < maxItems; ) {
      const id = left.pop() as string;
      const text = watcher.take(id);
      if (text === undefined) gone.push(`"${id}"`);
      else there.push(text);
      bytes += text?.length ?? id.length;
    }
    let marks = watcher.isSnapshot ? ',"snapshot":true' : '';
    if (left.length === 0) {
      if (watcher.isSnapshot) marks += ',"complete":true';
      watcher.isSnapshot = false;
      watcher.isFrameDue = false;
    }
    const items = watcher.shown === 'vehicles' ? `"vehicles":[${there}]` : `"vehicles":[],"clusters":[${there}]`;
    return `{"type":"map","topic":"${adminMapTopic}","asOfMs":${now()}${marks},${items},"gone":[${gone}]}`;
  }

  return { tell };
}
