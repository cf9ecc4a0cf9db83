/** Removes the listener that it was given for. */
export type Unsubscribe = () => void;

/** Typed events: names to what their listeners are called with. */
export interface Emitter<Events> {
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): Unsubscribe;
  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void;
}

/**
 * A listener that throws is its owner's bug: the others are still called and the protocol goes on; the error surfaces as an unhandled
 * rejection, where every runtime reports it.
 */
export function createEmitter<Events>(): Emitter<Events> {
  const listeners = new Map<keyof Events, Set<(value: never) => void>>();

  return {
    on(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => set.delete(listener);
    },
    emit(name, value) {
      for (const listener of listeners.get(name) ?? []) callGuarded(listener as (value: unknown) => void, value);
    },
  };
}

/**
 * Call what the app gave us without letting its errors into our state machines.
 *
 * @returns false where it threw
 */
export function callGuarded<Value>(listener: ((value: Value) => void) | undefined, value: Value): boolean {
  try {
    listener?.(value);
    return true;
  } catch (error) {
    void Promise.reject(error);
    return false;
  }
}
