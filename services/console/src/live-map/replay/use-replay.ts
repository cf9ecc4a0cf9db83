import { useEffect, useRef, useState } from 'react';
import { isMotionReduced } from '../../data/backend.ts';
import { changeMapView } from '../../routing/view-store.ts';
import type { TrackShape } from '../track/track-shape.ts';
import { createReplayPlayer, type ReplayPlayer } from './replay-player.ts';

/** Where a paused replay stands is kept in the address, not oftener than browsers allow. */
const keepEveryMs = 500;

/**
 * The player of the selected trip's track while the address asks for a replay. It survives a growing track and ends with the
 * selection.
 */
export function useReplay(input: {
  tripId: string | undefined;
  shape: TrackShape | undefined;
  atMs: number | undefined;
}): ReplayPlayer | undefined {
  const { shape } = input;
  const isWanted = input.atMs !== undefined && shape !== undefined && shape.points.length > 1;
  const newest = useRef({ shape, atMs: input.atMs });
  newest.current = { shape, atMs: input.atMs };
  const [player, setPlayer] = useState<ReplayPlayer>();

  useEffect(() => {
    if (!isWanted || newest.current.shape === undefined) return undefined;
    const created = createReplayPlayer({ shape: newest.current.shape, atMs: newest.current.atMs, isMotionReduced });
    setPlayer(created);
    return () => {
      created.close();
      setPlayer(undefined);
    };
  }, [isWanted, input.tripId]);

  useEffect(() => {
    if (shape !== undefined) player?.setShape(shape);
  }, [player, shape]);

  useEffect(() => (player === undefined ? undefined : keepInAddress(player)), [player]);
  return player;
}

function keepInAddress(player: ReplayPlayer): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = player.subscribe(() => {
    if (timer !== undefined || player.clock().isPlaying) return;
    timer = setTimeout(() => {
      timer = undefined;
      changeMapView({ replayAtMs: player.clock().atMs }, { replace: true });
    }, keepEveryMs);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
