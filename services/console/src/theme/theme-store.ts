import { useSyncExternalStore } from 'react';

export type Theme = 'dark' | 'light';

const storageKey = 'hushryd.theme';
const system = window.matchMedia('(prefers-color-scheme: light)');
const listeners = new Set<() => void>();
let chosen: Theme | undefined = readChosen();

/** The system's theme, until somebody used the switch on this machine. */
export function currentTheme(): Theme {
  return chosen ?? (system.matches ? 'light' : 'dark');
}

export function chooseTheme(theme: Theme): void {
  chosen = theme;
  window.localStorage.setItem(storageKey, theme);
  announce();
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, currentTheme);
}

/** Put the theme onto the page; call once before the first render. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = currentTheme();
}

function announce(): void {
  applyTheme();
  for (const listener of listeners) listener();
}

system.addEventListener('change', announce);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function readChosen(): Theme | undefined {
  const stored = window.localStorage.getItem(storageKey);
  return stored === 'dark' || stored === 'light' ? stored : undefined;
}
