/** Colours of the map by theme. The interface's own stand in `theme/tokens.css`; both follow the same neutrals and the same accent. */
export interface MapPalette {
  water: string;
  land: string;
  coast: string;
  border: string;
  placeLabel: string;
  placeHalo: string;
  river: string;
  streetCasing: string;
  street: string;
  avenue: string;
  streetLabel: string;
  /** Travelled roads, from seldom to busy. */
  roads: [string, string, string];
  planned: string;
  track: string;
  gap: string;
  /** One per class of `speedClassesKmh`, slow to fast; perceptually even, readable by colour-blind eyes (a slice of viridis). */
  speeds: [string, string, string, string, string, string];
  /** Whoever calls for help. */
  sos: string;
  /** What the symbols are drawn with. */
  marks: Record<MarkColour, string>;
}

export type MarkColour = 'casing' | 'onTrip' | 'free' | 'off' | 'silent' | 'selection' | 'replay';

/** Order in the shader's palette. */
export const markColours: readonly MarkColour[] = ['casing', 'onTrip', 'free', 'off', 'silent', 'selection', 'replay'];

export const palettes: Record<'dark' | 'light', MapPalette> = {
  dark: {
    water: '#0a0d11',
    land: '#12171d',
    coast: '#27323e',
    border: '#232c37',
    placeLabel: '#66747f',
    placeHalo: '#12171d',
    river: '#0a1820',
    streetCasing: '#0f1419',
    street: '#29333e',
    avenue: '#384553',
    streetLabel: '#7d8a98',
    roads: ['#1e2730', '#2b3743', '#40505f'],
    planned: '#7d8a98',
    track: '#e8edf3',
    gap: '#8492a2',
    speeds: ['#6a63b8', '#4a7fc1', '#2fa0b5', '#3cc08f', '#9ad35a', '#f4e35c'],
    sos: '#ff6b62',
    marks: {
      casing: '#0d1217',
      onTrip: '#3ec9b3',
      free: '#c3ced9',
      off: '#76838f',
      silent: '#f2b544',
      selection: '#ffffff',
      replay: '#ffffff',
    },
  },
  light: {
    water: '#c9d6e1',
    land: '#e9edf0',
    coast: '#a3b3c0',
    border: '#bfc9d1',
    placeLabel: '#65717c',
    placeHalo: '#e9edf0',
    river: '#c9d6e1',
    streetCasing: '#c3ccd5',
    street: '#ffffff',
    avenue: '#ffffff',
    streetLabel: '#5d6975',
    roads: ['#d9dfe4', '#c6cfd7', '#a9b7c3'],
    planned: '#7b8791',
    track: '#12181f',
    gap: '#6b7680',
    speeds: ['#44307d', '#3a5a8c', '#26788d', '#1a9480', '#4aa94f', '#a3a616'],
    sos: '#c22a22',
    marks: {
      casing: '#ffffff',
      onTrip: '#0a7d6e',
      free: '#33414e',
      off: '#8b97a1',
      silent: '#b06d00',
      selection: '#12181f',
      replay: '#12181f',
    },
  },
};

/** `#rrggbb` as three numbers of 0–1. */
export function toRgb(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [((value >> 16) & 255) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}
