/** Metres on the city's plane: x east, y north. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export function distanceBetween(from: Point, to: Point): number {
  return Math.hypot(to.x - from.x, to.y - from.y);
}

export function lengthOf(line: readonly Point[]): number {
  return line.reduce((sum, point, index) => sum + distanceBetween(line[index - 1] ?? point, point), 0);
}

/** The part of a line between two distances from its start, both ends included. */
export function partOf(line: readonly Point[], fromMeters: number, toMeters: number): Point[] {
  const part = [pointAt(line, fromMeters)];
  let walked = 0;
  for (const [index, point] of line.entries()) {
    walked += distanceBetween(line[index - 1] ?? point, point);
    if (walked > fromMeters && walked < toMeters) part.push(point);
  }
  part.push(pointAt(line, toMeters));
  return part;
}

export function pointAt(line: readonly Point[], meters: number): Point {
  let walked = 0;
  let last = line[0] ?? { x: 0, y: 0 };
  for (const point of line) {
    const step = distanceBetween(last, point);
    if (walked + step >= meters && step > 0) {
      const share = Math.max(0, meters - walked) / step;
      return { x: last.x + (point.x - last.x) * share, y: last.y + (point.y - last.y) * share };
    }
    walked += step;
    last = point;
  }
  return last;
}

/** Where two lines cross: distances from the start of each. */
export function crossings(one: readonly Point[], other: readonly Point[]): { onOne: number; onOther: number }[] {
  const found: { onOne: number; onOther: number }[] = [];
  let walkedOne = 0;
  for (let i = 1; i < one.length; i += 1) {
    const [a, b] = [one[i - 1], one[i]];
    if (!a || !b) break;
    const stepOne = distanceBetween(a, b);
    let walkedOther = 0;
    for (let j = 1; j < other.length; j += 1) {
      const [c, d] = [other[j - 1], other[j]];
      if (!c || !d) break;
      const stepOther = distanceBetween(c, d);
      const shares = segmentCrossing(a, b, c, d);
      if (shares) found.push({ onOne: walkedOne + shares[0] * stepOne, onOther: walkedOther + shares[1] * stepOther });
      walkedOther += stepOther;
    }
    walkedOne += stepOne;
  }
  return found;
}

function segmentCrossing(a: Point, b: Point, c: Point, d: Point): [number, number] | undefined {
  if (Math.max(a.x, b.x) < Math.min(c.x, d.x) || Math.max(c.x, d.x) < Math.min(a.x, b.x)) return undefined;
  if (Math.max(a.y, b.y) < Math.min(c.y, d.y) || Math.max(c.y, d.y) < Math.min(a.y, b.y)) return undefined;
  const cross = (b.x - a.x) * (d.y - c.y) - (b.y - a.y) * (d.x - c.x);
  if (Math.abs(cross) < 1e-9) return undefined;
  const onAb = ((c.x - a.x) * (d.y - c.y) - (c.y - a.y) * (d.x - c.x)) / cross;
  const onCd = ((c.x - a.x) * (b.y - a.y) - (c.y - a.y) * (b.x - a.x)) / cross;
  return onAb >= 0 && onAb <= 1 && onCd >= 0 && onCd <= 1 ? [onAb, onCd] : undefined;
}

/** Shortest distance from a point to a line. */
export function distanceToLine(point: Point, line: readonly Point[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let index = 1; index < line.length; index += 1) {
    const [a, b] = [line[index - 1], line[index]];
    if (!a || !b) break;
    const square = (b.x - a.x) ** 2 + (b.y - a.y) ** 2;
    const along = square === 0 ? 0 : ((point.x - a.x) * (b.x - a.x) + (point.y - a.y) * (b.y - a.y)) / square;
    const share = Math.min(1, Math.max(0, along));
    const nearest = { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
    least = Math.min(least, distanceBetween(point, nearest));
  }
  return least;
}

/** The line moved sideways, to its left for positive metres. */
export function besideLine(line: readonly Point[], meters: number): Point[] {
  return line.map((point, index) => {
    const before = line[index - 1] ?? point;
    const after = line[index + 1] ?? point;
    const length = distanceBetween(before, after) || 1;
    return {
      x: point.x - ((after.y - before.y) / length) * meters,
      y: point.y + ((after.x - before.x) / length) * meters,
    };
  });
}
