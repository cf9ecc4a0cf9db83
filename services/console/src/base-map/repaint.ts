import type { LayerSpecification, Map as MapLibreMap } from 'maplibre-gl';

/** Give every layer that is there the colours of another palette; nothing is loaded or laid out again. */
export function repaint(map: MapLibreMap, layers: readonly LayerSpecification[]): void {
  for (const { id, paint } of layers) {
    if (!map.getLayer(id)) continue;
    for (const [name, value] of Object.entries(paint ?? {})) map.setPaintProperty(id, name as never, value as never);
  }
}
