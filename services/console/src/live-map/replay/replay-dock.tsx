import * as Slider from '@radix-ui/react-slider';
import { Pause, Play, X } from 'lucide-react';
import { useCallback, useSyncExternalStore } from 'react';
import { IconButton } from '../../feedback/icon-button.tsx';
import { useKey } from '../../feedback/use-key.ts';
import { formatDuration, formatMoment } from '../../time/format-time.ts';
import type { TrackShape } from '../track/track-shape.ts';
import styles from './replay.module.css';
import { replayRates } from './replay-clock.ts';
import { ReplayFigures } from './replay-figures.tsx';
import type { ReplayPlayer } from './replay-player.ts';
import { SpeedStrip } from './speed-strip.tsx';

/** The past of one trip: play it, or go to a moment. */
export function ReplayDock({
  player,
  shape,
  onClose,
}: {
  player: ReplayPlayer;
  shape: TrackShape;
  onClose: () => void;
}) {
  const clock = useSyncExternalStore(player.subscribe, player.clock);
  const seek = useCallback((atMs: number) => player.seek(atMs), [player]);
  useKey(' ', player.toggle);
  const words = clock.isPlaying ? 'Pause the replay' : 'Play the replay';
  return (
    <section className={styles.dock} aria-label="Replay">
      <div className={styles.controls}>
        <button
          type="button"
          className={styles.play}
          aria-label={words}
          title={`${words} (space)`}
          onClick={player.toggle}
        >
          {clock.isPlaying ? <Pause size={18} aria-hidden /> : <Play size={18} aria-hidden />}
        </button>
        <fieldset className={styles.rates}>
          <legend className="spoken-only">Speed of the replay</legend>
          {replayRates.map((rate) => (
            <label key={rate} data-chosen={rate === clock.rate || undefined}>
              <input
                type="radio"
                name="rate"
                className="spoken-only"
                checked={rate === clock.rate}
                onChange={() => player.setRate(rate)}
              />
              {rate}×
            </label>
          ))}
        </fieldset>
        <div className={styles.when}>
          <span className={styles.past}>Replay, not live</span>
          <output className={styles.time} aria-label="Time shown">
            {formatMoment(clock.atMs, Date.now())}
          </output>
        </div>
        <ReplayFigures moment={player.moment()} />
        <IconButton label="Close the replay" keyName="Esc" onClick={onClose}>
          <X size={16} aria-hidden />
        </IconButton>
      </div>
      <SpeedStrip shape={shape} atMs={clock.atMs} onSeek={seek} />
      <Slider.Root
        className={styles.slider}
        min={clock.startMs}
        max={clock.endMs}
        step={1000}
        value={[clock.atMs]}
        onValueChange={([atMs]) => atMs !== undefined && player.seek(atMs)}
      >
        <Slider.Track className={styles.sliderTrack}>
          <Slider.Range className={styles.sliderRange} />
        </Slider.Track>
        <Slider.Thumb
          className={styles.sliderThumb}
          aria-label="Moment of the trip"
          aria-valuetext={`${formatMoment(clock.atMs, Date.now())}, ${formatDuration(clock.atMs - clock.startMs)} after the start`}
        />
      </Slider.Root>
      <div className={styles.ends} aria-hidden="true">
        <span>{formatMoment(clock.startMs, Date.now())}</span>
        <span>
          {formatDuration(clock.atMs - clock.startMs)} of {formatDuration(clock.endMs - clock.startMs)}
        </span>
        <span>{formatMoment(clock.endMs, Date.now())}</span>
      </div>
    </section>
  );
}
