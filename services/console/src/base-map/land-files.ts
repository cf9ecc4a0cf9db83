import countriesMiddleUrl from 'world-atlas/countries-50m.json?url';
import countriesFarUrl from 'world-atlas/countries-110m.json?url';
import landNearUrl from 'world-atlas/land-10m.json?url';
import type { LandGrade } from './base-style.ts';

/** What the worker is asked for. */
export interface LandRequest {
  url: string;
  /** Country borders and names too, where the file has them. */
  hasCountries: boolean;
}

/** GeoJSON as UTF-8, one after another as asked. */
export interface LandReply {
  land: ArrayBuffer;
  borders?: ArrayBuffer;
  places?: ArrayBuffer;
  error?: string;
}

/** Compressed 39, 236 and 826 kB; the finer ones are fetched when the view comes that near. */
export const landFiles: Record<LandGrade, LandRequest> = {
  far: { url: countriesFarUrl, hasCountries: true },
  middle: { url: countriesMiddleUrl, hasCountries: true },
  near: { url: landNearUrl, hasCountries: false },
};
