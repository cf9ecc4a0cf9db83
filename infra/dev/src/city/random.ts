/** Seeded randomness: the same seed gives the same numbers on every machine. Not for secrets. */
export interface Random {
  /** 0 ≤ n < 1 */
  next(): number;
  /** min ≤ n < max */
  between(min: number, max: number): number;
  /** 0 ≤ n < count, whole */
  below(count: number): number;
  chance(probability: number): boolean;
  /** Normal distribution around 0 with the deviation given. */
  normal(deviation: number): number;
  /** An own sequence for one part of the work, so that more draws in one part leave the others as they were. */
  fork(label: string): Random;
}

export function createRandom(seed: number | string): Random {
  let state = hash(String(seed));
  // mulberry32: 32 bits of state are plenty for a city and its drivers.
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (min, max) => min + (max - min) * next(),
    below: (count) => Math.floor(next() * count),
    chance: (probability) => next() < probability,
    normal: (deviation) => deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    fork: (label) => createRandom(`${seed}/${label}`),
  };
}

/** FNV-1a, 32 bit. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

/** Smooth noise over a plane, −1 to 1, that changes over about `scale` units. */
export function createNoise(seed: number | string, scale: number): (x: number, y: number) => number {
  const corner = (x: number, y: number) => createRandom(`${seed}:${x}:${y}`).between(-1, 1);
  const corners = new Map<string, number>();
  const cornerAt = (x: number, y: number) => {
    const key = `${x}:${y}`;
    const known = corners.get(key);
    if (known !== undefined) return known;
    const value = corner(x, y);
    corners.set(key, value);
    return value;
  };
  return (x, y) => {
    const [left, top] = [Math.floor(x / scale), Math.floor(y / scale)];
    const [u, v] = [ease(x / scale - left), ease(y / scale - top)];
    const upper = mix(cornerAt(left, top), cornerAt(left + 1, top), u);
    const lower = mix(cornerAt(left, top + 1), cornerAt(left + 1, top + 1), u);
    return mix(upper, lower, v);
  };
}

const ease = (t: number) => t * t * (3 - 2 * t);
const mix = (from: number, to: number, share: number) => from + (to - from) * share;
