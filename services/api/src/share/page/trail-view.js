const namespace = 'http://www.w3.org/2000/svg';
const metersPerDegree = 111_195;
/** A trail of somebody who stands still is not blown up to fill the page. */
const minSpanMeters = 240;
/** Of a place that is told to two decimals. */
const coarseMeters = 1_000;
const margin = 36;
/** The newest point's label and the scale want room at the bottom. */
const bottomMargin = 52;

/**
 * Draw where the phones have been, north up, with a scale; no map is asked of anybody.
 *
 * @param {SVGSVGElement} svg
 * @param {{ points: { source: 'driver' | 'person', lat: number, lng: number, recordedAt: string, accuracyMeters?: number }[],
 *   raisedAtMs: number, isCoarse: boolean, label: string }} trail in order of time, at least one point
 */
export function drawTrail(svg, { points, raisedAtMs, isCoarse, label }) {
  const { width, height } = svg.getBoundingClientRect();
  if (width === 0 || height === 0) return;
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('aria-label', label);
  const view = fit({ points, width, height, radiusMeters: widestOf(points, isCoarse) });
  const children = [...drawGrid(view, width, height)];
  for (const source of ['driver', 'person']) {
    const own = points.filter((point) => point.source === source);
    if (own.length > 0) children.push(...drawSource(own, { source, view, isCoarse }));
  }
  const after = points.filter((point) => Date.parse(point.recordedAt) >= raisedAtMs);
  const start = after.find(({ source }) => source === 'person') ?? after[0];
  if (start !== undefined && points.length > 1 && !isCoarse) {
    const { x, y } = view.place(start);
    children.push(shape('circle', { class: 'start', cx: x, cy: y, r: 5 }));
  }
  children.push(...drawScale(view, height));
  svg.replaceChildren(...children);
}

/** How uncertain the newest places are. */
function widestOf(points, isCoarse) {
  if (isCoarse) return coarseMeters;
  const newest = ['driver', 'person'].map((source) => points.findLast((point) => point.source === source));
  return Math.max(...newest.map((point) => point?.accuracyMeters ?? 0));
}

/** Where things go: metres from the middle, as many to a pixel as make all of it fit. */
function fit({ points, width, height, radiusMeters }) {
  const lats = points.map(({ lat }) => lat);
  const middle = { lat: (Math.min(...lats) + Math.max(...lats)) / 2, lng: middleLng(points) };
  const shrink = Math.cos((middle.lat * Math.PI) / 180);
  const toMeters = ({ lat, lng }) => ({
    east: (((((lng - middle.lng) % 360) + 540) % 360) - 180) * metersPerDegree * shrink,
    north: (lat - middle.lat) * metersPerDegree,
  });
  const placed = points.map(toMeters);
  const spanOf = (values) => Math.max(...values) - Math.min(...values);
  const leastMeters = Math.max(minSpanMeters, 2.2 * radiusMeters);
  const eastSpan = Math.max(leastMeters, spanOf(placed.map(({ east }) => east)));
  const northSpan = Math.max(leastMeters, spanOf(placed.map(({ north }) => north)));
  const metersPerPixel = Math.max(
    eastSpan / Math.max(1, width - 2 * margin),
    northSpan / Math.max(1, height - margin - bottomMargin),
  );
  return {
    metersPerPixel,
    place(point) {
      const { east, north } = toMeters(point);
      return {
        x: round(width / 2 + east / metersPerPixel),
        y: round((height + margin - bottomMargin) / 2 - north / metersPerPixel),
      };
    },
  };
}

/** Half way between west and east, also across the date line. */
function middleLng(points) {
  const first = points[0].lng;
  const offsets = points.map(({ lng }) => ((((lng - first) % 360) + 540) % 360) - 180);
  return first + (Math.min(...offsets) + Math.max(...offsets)) / 2;
}

function drawSource(own, { source, view, isCoarse }) {
  const newest = own.at(-1);
  const places = own.map(view.place);
  const drawn = [];
  if (own.length > 1) {
    drawn.push(shape('polyline', { class: `line ${source}`, points: places.map(({ x, y }) => `${x},${y}`).join(' ') }));
  }
  const { x, y } = places.at(-1);
  const radiusMeters = isCoarse ? coarseMeters : (newest.accuracyMeters ?? 0);
  const radius = Math.min(radiusMeters / view.metersPerPixel, 4_000);
  if (radius > 10) drawn.push(shape('circle', { class: `around ${source}`, cx: x, cy: y, r: round(radius) }));
  // Told apart by shape as well as by colour.
  if (source === 'person') drawn.push(shape('circle', { class: 'mark person', cx: x, cy: y, r: 9 }));
  else drawn.push(shape('rect', { class: 'mark driver', x: x - 8, y: y - 8, width: 16, height: 16, rx: 3 }));
  return drawn;
}

function drawGrid(view, width, height) {
  const step = niceMeters(view.metersPerPixel * 90) / view.metersPerPixel;
  const lines = [];
  for (let x = (width / 2) % step; x < width; x += step) {
    lines.push(shape('line', { class: 'grid', x1: round(x), y1: 0, x2: round(x), y2: height }));
  }
  for (let y = (height / 2) % step; y < height; y += step) {
    lines.push(shape('line', { class: 'grid', x1: 0, y1: round(y), x2: width, y2: round(y) }));
  }
  return lines;
}

function drawScale(view, height) {
  const meters = niceMeters(view.metersPerPixel * 90);
  const length = round(meters / view.metersPerPixel);
  const y = height - 18;
  const text = shape('text', { class: 'scale-text', x: 16, y: y - 9 });
  text.textContent = meters >= 1000 ? `${meters / 1000} km` : `${meters} m`;
  return [shape('path', { class: 'scale', d: `M16 ${y - 4}V${y}H${16 + length}V${y - 4}` }), text];
}

/** 1, 2 or 5 times a power of ten, the largest that is not above. */
function niceMeters(meters) {
  const power = 10 ** Math.floor(Math.log10(meters));
  const factor = [5, 2, 1].find((candidate) => candidate * power <= meters) ?? 1;
  return factor * power;
}

function shape(name, attributes) {
  const element = document.createElementNS(namespace, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, String(value));
  return element;
}

const round = (value) => Math.round(value * 10) / 10;
