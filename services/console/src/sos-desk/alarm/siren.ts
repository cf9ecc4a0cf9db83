/** `blocked`: the browser plays nothing on this page before somebody has clicked or pressed a key on it. */
export type SirenState = 'silent' | 'sounding' | 'blocked';

export interface Siren {
  setSounding(isWanted: boolean): void;
  /** Whether a sound would be heard now: browsers allow none on a page that nobody has touched. */
  isAllowed(): boolean;
  state(): SirenState;
  subscribe(listener: () => void): () => void;
  /** Ask the browser again; works from a click or a key. */
  unlock(): Promise<void>;
  close(): void;
}

const beatMs = 1_400;
/** Two tones that carry through a busy room and are no telephone: high, then low. */
const tones = [
  { hertz: 880, atSeconds: 0 },
  { hertz: 660, atSeconds: 0.28 },
];
const toneSeconds = 0.24;
const loudness = 0.25;

/** A two-tone alarm, made in the browser: no file that could be missing when it is needed. */
export function createSiren(page: Pick<Window, 'addEventListener' | 'removeEventListener'> = window): Siren {
  const listeners = new Set<() => void>();
  let context: AudioContext | undefined;
  let isWanted = false;
  let beat: ReturnType<typeof setInterval> | undefined;

  const announce = () => {
    for (const listener of listeners) listener();
  };
  const isAllowed = () => context?.state === 'running';

  function open(): AudioContext {
    if (context === undefined) {
      context = new AudioContext();
      context.onstatechange = announce;
    }
    return context;
  }

  function play(): void {
    if (context === undefined || !isAllowed()) return;
    for (const { hertz, atSeconds } of tones) playTone(context, hertz, context.currentTime + atSeconds);
  }

  /** The first touch of the page is what browsers wait for, whatever it was meant for. */
  function touched(): void {
    void unlock();
  }

  async function unlock(): Promise<void> {
    const opened = open();
    // A page that is being closed resumes nothing.
    if (opened.state !== 'running') await opened.resume().catch(() => undefined);
    if (isWanted) play();
    announce();
  }

  page.addEventListener('pointerdown', touched);
  page.addEventListener('keydown', touched);

  return {
    setSounding(next) {
      if (next === isWanted) return;
      isWanted = next;
      clearInterval(beat);
      if (isWanted) {
        // Where a page may play already, as after a reload, nobody has to touch it.
        void unlock();
        beat = setInterval(play, beatMs);
      }
      announce();
    },
    isAllowed,
    state() {
      if (!isWanted) return 'silent';
      return isAllowed() ? 'sounding' : 'blocked';
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    unlock,
    close() {
      clearInterval(beat);
      page.removeEventListener('pointerdown', touched);
      page.removeEventListener('keydown', touched);
      void context?.close();
    },
  };
}

/** With soft edges, so that it does not crack. */
function playTone(context: AudioContext, hertz: number, atSeconds: number): void {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.type = 'triangle';
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0, atSeconds);
  gain.gain.linearRampToValueAtTime(loudness, atSeconds + 0.02);
  gain.gain.setValueAtTime(loudness, atSeconds + toneSeconds - 0.04);
  gain.gain.linearRampToValueAtTime(0, atSeconds + toneSeconds);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(atSeconds);
  oscillator.stop(atSeconds + toneSeconds);
}
