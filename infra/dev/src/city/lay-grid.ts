import { crossings, distanceBetween, distanceToLine, type Point } from './polyline.ts';
import { createNoise, type Random } from './random.ts';
import type { Street, StreetClass, StreetNetwork } from './street-network.ts';

const halfLines = 17;
const blockMeters = 225;
const riverBankMeters = 100;
const bridgeSpacingMeters = 1000;
const longestBridgeMeters = 520;
/** Fewer, and everybody drives over the same one: then longer ones are built too. */
const fewestBridges = 3;

interface Node extends Point {
  readonly isDry: boolean;
  junction?: number;
}

/**
 * A grid as cities grow it: rows of uneven depth, bent by the lie of the land, turned off north, an avenue every fifth line, blocks that were
 * joined, and avenues alone that cross the river.
 */
export function layGrid(input: { random: Random; river: readonly Point[]; radiusMeters: number }): StreetNetwork {
  const { random, river, radiusMeters } = input;
  const nodes = placeNodes({ random, river, radiusMeters });
  const junctions: Point[] = [];
  const streets: Street[] = [];
  const bridges: Point[] = [];

  const junctionOf = (node: Node) => {
    node.junction ??= junctions.push({ x: node.x, y: node.y }) - 1;
    return node.junction;
  };
  const addStreet = (from: Node, to: Node, kind: StreetClass) => {
    streets.push({
      from: junctionOf(from),
      to: junctionOf(to),
      class: kind,
      shape: [from, to].map(({ x, y }) => ({ x, y })),
    });
  };
  const tooLong: { from: Node; to: Node }[] = [];
  const addBridge = (from: Node, to: Node) => {
    const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
    if (bridges.some((bridge) => distanceBetween(bridge, middle) < bridgeSpacingMeters)) return;
    bridges.push(middle);
    addStreet(from, to, 'bridge');
  };

  for (const { line, isAvenue } of linesOf(nodes)) {
    for (const { from, to, isOverWater } of stepsOf(line, river)) {
      if (isOverWater && isAvenue) {
        if (distanceBetween(from, to) > longestBridgeMeters) tooLong.push({ from, to });
        else addBridge(from, to);
      } else if (!isOverWater && isAvenue) addStreet(from, to, 'avenue');
      else if (!isOverWater && !isJoinedBlock(random, to, radiusMeters)) addStreet(from, to, 'street');
    }
  }
  const lengthOf = ({ from, to }: { from: Node; to: Node }) => distanceBetween(from, to);
  for (const { from, to } of tooLong.toSorted((one, other) => lengthOf(one) - lengthOf(other))) {
    if (bridges.length < fewestBridges) addBridge(from, to);
  }
  return { junctions, streets };
}

/** Neighbours on one line of the grid. Beyond the city's edge a line ends; wet nodes are jumped. */
function stepsOf(line: readonly (Node | undefined)[], river: readonly Point[]) {
  const steps: { from: Node; to: Node; isOverWater: boolean }[] = [];
  let from: Node | undefined;
  let hasJumped = false;
  for (const node of line) {
    if (node && !node.isDry) {
      hasJumped = true;
      continue;
    }
    if (from && node)
      steps.push({ from, to: node, isOverWater: hasJumped || crossings([from, node], river).length > 0 });
    from = node;
    hasJumped = false;
  }
  return steps;
}

/** Streets that were built over, more of them further out. */
function isJoinedBlock(random: Random, at: Point, radiusMeters: number): boolean {
  return random.chance(0.08 + (0.3 * Math.hypot(at.x, at.y)) / radiusMeters);
}

/** Row by row; undefined beyond the city's edge. */
function placeNodes(input: { random: Random; river: readonly Point[]; radiusMeters: number }): (Node | undefined)[][] {
  const { random, river, radiusMeters } = input;
  const [columns, rows] = [unevenLines(random), unevenLines(random)];
  const turn = random.between(0.12, 0.4);
  const [bendX, bendY] = [createNoise(random.next(), 1900), createNoise(random.next(), 1900)];
  const edge = createNoise(random.next(), 1.2);

  return rows.map((v) =>
    columns.map((u) => {
      // Blocks grow towards the edge.
      const stretch = 1 + 0.35 * (Math.hypot(u, v) / radiusMeters) ** 2;
      const [x0, y0] = [u * stretch, v * stretch];
      const x = x0 * Math.cos(turn) - y0 * Math.sin(turn) + 210 * bendX(x0, y0) + random.normal(9);
      const y = x0 * Math.sin(turn) + y0 * Math.cos(turn) + 210 * bendY(x0, y0) + random.normal(9);
      const radius = Math.hypot(x, y);
      const reach = radiusMeters * (0.9 + 0.18 * edge((2.2 * x) / (radius || 1), (2.2 * y) / (radius || 1)));
      if (radius > reach) return undefined;
      return { x, y, isDry: distanceToLine({ x, y }, river) > riverBankMeters };
    }),
  );
}

/** Distances of parallel streets from the middle one. */
function unevenLines(random: Random): number[] {
  const places = [0];
  for (let index = 0; index < halfLines; index += 1) {
    places.push((places.at(-1) ?? 0) + blockMeters * random.between(0.65, 1.3));
    places.unshift((places[0] ?? 0) - blockMeters * random.between(0.65, 1.3));
  }
  return places;
}

function linesOf(nodes: readonly (Node | undefined)[][]): { line: (Node | undefined)[]; isAvenue: boolean }[] {
  const columns = (nodes[0] ?? []).map((_, column) => nodes.map((row) => row[column]));
  return [nodes, columns].flatMap((lines) => lines.map((line, index) => ({ line, isAvenue: index % 5 === 2 })));
}
