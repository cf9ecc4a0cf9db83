import { type MarkColour, markColours } from '../../base-map/palette.ts';

/** Shapes that the mark shader knows, by their number there. */
export const markShapes = {
  arrow: 0,
  arrowHollow: 1,
  dot: 2,
  dotHollow: 3,
  squareHollow: 4,
  ring: 5,
  disc: 6,
} as const;
export type MarkShape = keyof typeof markShapes;

export interface Mark {
  /** World coordinates. */
  x: number;
  y: number;
  shape: MarkShape;
  colour: MarkColour;
  /** From the middle to the edge, CSS pixels. */
  radiusPixels: number;
  /** Clockwise from north. */
  headingDegrees?: number | undefined;
  opacity: number;
}

export const floatsPerMark = 7;

const colourIndexes = Object.fromEntries(markColours.map((name, index) => [name, index])) as Record<MarkColour, number>;

/**
 * What is drawn in one frame, packed for the graphics card. Places are kept relative to an anchor near the middle of the view: 32-bit
 * floats alone would make symbols tremble by some pixels at street level.
 */
export interface MarkBuffer {
  readonly count: number;
  readonly floats: Float32Array;
  readonly anchor: { x: number; y: number };
  /** Marks that did not fit. */
  readonly overflowCount: number;
  restart(anchor: { x: number; y: number }): void;
  add(mark: Mark): void;
}

export function createMarkBuffer(maxMarks: number): MarkBuffer {
  let floats = new Float32Array(Math.min(maxMarks, 1024) * floatsPerMark);
  let count = 0;
  let overflowCount = 0;
  let anchor = { x: 0, y: 0 };

  function grow(): void {
    const larger = new Float32Array(Math.min(maxMarks, count * 2) * floatsPerMark);
    larger.set(floats);
    floats = larger;
  }

  return {
    get count() {
      return count;
    },
    get floats() {
      return floats;
    },
    get anchor() {
      return anchor;
    },
    get overflowCount() {
      return overflowCount;
    },
    restart(next) {
      anchor = next;
      count = 0;
      overflowCount = 0;
    },
    add(mark) {
      if (count >= maxMarks) {
        overflowCount += 1;
        return;
      }
      if ((count + 1) * floatsPerMark > floats.length) grow();
      const at = count * floatsPerMark;
      floats[at] = mark.x - anchor.x;
      floats[at + 1] = mark.y - anchor.y;
      floats[at + 2] = mark.radiusPixels;
      floats[at + 3] = ((mark.headingDegrees ?? 0) * Math.PI) / 180;
      floats[at + 4] = markShapes[mark.shape];
      floats[at + 5] = colourIndexes[mark.colour];
      floats[at + 6] = mark.opacity;
      count += 1;
    },
  };
}
