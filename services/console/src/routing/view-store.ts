import { useSyncExternalStore } from 'react';
import { formatView, type MapView, parseView, type View } from './view.ts';

const listeners = new Set<() => void>();
let fragment = window.location.hash;
let view = parseView(fragment);

/** The view that the address bar names. Same object until the address changes. */
export function currentView(): View {
  if (window.location.hash !== fragment) {
    fragment = window.location.hash;
    view = parseView(fragment);
  }
  return view;
}

/** Go to a view. `replace` keeps the back button for steps that a person would call steps. */
export function navigate(next: View, options: { replace?: boolean } = {}): void {
  const address = formatView(next);
  if (address === window.location.hash) return;
  if (options.replace) window.history.replaceState(null, '', address);
  else window.history.pushState(null, '', address);
  for (const listener of listeners) listener();
}

/** Change parts of the map's view; does nothing in another room. `undefined` takes a part away. */
export function changeMapView(
  change: { [Part in keyof MapView]?: MapView[Part] | undefined },
  options: { replace?: boolean } = {},
): void {
  const current = currentView();
  if (current.room !== 'map') return;
  const merged = Object.fromEntries(
    Object.entries({ ...current, ...change }).filter(([, value]) => value !== undefined),
  );
  navigate({ ...merged, room: 'map' }, options);
}

export function useView(): View {
  return useSyncExternalStore(subscribe, currentView);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('hashchange', listener);
  window.addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('hashchange', listener);
    window.removeEventListener('popstate', listener);
  };
}
