import type { Feature, Geometry } from 'geojson';
import { feature, mesh } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import { labelCountries } from './label-countries.ts';
import type { LandReply, LandRequest } from './land-files.ts';
import { unwrapWorld } from './unwrap-world.ts';

type World = Topology<{ land: GeometryCollection; countries: GeometryCollection<{ name: string }> }>;

// The finest coast has 400,000 points: here its conversion costs nobody a frame, and the bytes are handed over, not copied.
self.onmessage = async ({ data: request }: MessageEvent<LandRequest>) => {
  try {
    const reply = await convert(request);
    const buffers = [reply.land, reply.borders, reply.places].filter((part) => part !== undefined);
    self.postMessage(reply, { transfer: buffers });
  } catch (error) {
    self.postMessage({ land: new ArrayBuffer(0), error: String(error) } satisfies LandReply);
  }
};

async function convert({ url, hasCountries }: LandRequest): Promise<LandReply> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const world: World = await response.json();
  const { features } = feature(world, world.objects.land);
  const land = encode({ type: 'FeatureCollection', features: features.map(unwrap) });
  if (!hasCountries) return { land };
  const { countries } = world.objects;
  const borders = unwrapWorld(mesh(world, countries, (one, other) => one !== other));
  return {
    land,
    borders: encode({ type: 'Feature', geometry: borders, properties: {} }),
    places: encode(labelCountries(feature(world, countries).features.map(unwrap))),
  };
}

const unwrap = <Properties>(one: Feature<Geometry, Properties>): Feature<Geometry, Properties> => ({
  ...one,
  geometry: unwrapWorld(one.geometry),
});

const encode = (geojson: unknown): ArrayBuffer => new TextEncoder().encode(JSON.stringify(geojson)).buffer;
