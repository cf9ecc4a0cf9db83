import type { GeoJSONSource, Map as MapLibreMap } from 'maplibre-gl';
import { type LandGrade, landGrades } from './base-style.ts';
import { type LandReply, landFiles } from './land-files.ts';

/** A finer coast is fetched a little before it is due. */
const headStartZoom = 0.7;

/**
 * Bring the coast in as it is needed, each grade once. A coarser grade stays visible until the finer one is there; where a file cannot be
 * had the coarser one simply stays.
 */
export function bringLand(map: MapLibreMap, onError: (error: unknown) => void): { close(): void } {
  const asked = new Set<LandGrade>();
  const present: LandGrade[] = [];
  const addresses: string[] = [];
  const worker = new Worker(new URL('./land.worker.ts', import.meta.url), { type: 'module' });
  let queue = Promise.resolve();

  /** The coarse coast first, it is small; then the finest that the view asks for, leaving out what lies between. */
  function bringDue(): void {
    const zoom = map.getZoom() + headStartZoom;
    const finest = landGrades.findLast(({ fromZoom }) => zoom >= fromZoom)?.id ?? 'far';
    for (const grade of ['far', finest] as const) {
      if (asked.has(grade)) continue;
      asked.add(grade);
      queue = queue.then(() => bring(grade));
    }
  }

  async function bring(grade: LandGrade): Promise<void> {
    const reply = await ask(worker, grade);
    if (reply.error !== undefined) {
      onError(new Error(reply.error));
      return;
    }
    show(`land-${grade}`, reply.land);
    if (reply.borders) show('borders', reply.borders);
    if (reply.places && grade === 'far') show('places', reply.places);
    present.push(grade);
    shareZooms();
  }

  function show(sourceId: string, geojson: ArrayBuffer): void {
    const address = URL.createObjectURL(new Blob([geojson], { type: 'application/geo+json' }));
    addresses.push(address);
    map.getSource<GeoJSONSource>(sourceId)?.setData(address);
  }

  /** Each grade is drawn from its zoom up to where the next one that is here begins. */
  function shareZooms(): void {
    const here = landGrades.filter(({ id }) => present.includes(id));
    for (const [index, { id, fromZoom }] of here.entries()) {
      const untilZoom = here[index + 1]?.fromZoom ?? 24;
      for (const layer of [`land-${id}`, `coast-${id}`]) {
        if (map.getLayer(layer)) map.setLayerZoomRange(layer, index === 0 ? 0 : fromZoom, untilZoom);
      }
    }
  }

  map.on('zoom', bringDue);
  bringDue();
  return {
    close() {
      map.off('zoom', bringDue);
      worker.terminate();
      for (const address of addresses) URL.revokeObjectURL(address);
    },
  };
}

function ask(worker: Worker, grade: LandGrade): Promise<LandReply> {
  return new Promise((resolve) => {
    worker.addEventListener('message', ({ data }: MessageEvent<LandReply>) => resolve(data), { once: true });
    worker.addEventListener('error', ({ message }) => resolve({ land: new ArrayBuffer(0), error: message }), {
      once: true,
    });
    worker.postMessage(landFiles[grade]);
  });
}
