import type { FrontDoorPorts, Ports } from './read-options.ts';

/** Where clients of this start find things. */
export interface PublicAddresses {
  readonly apiUrl: string;
  readonly realtimeUrl: string;
}

/** The services themselves, or the front door before them. Pure. */
export function publicAddresses(ports: Ports, frontDoor: FrontDoorPorts | undefined): PublicAddresses {
  if (frontDoor === undefined) {
    return { apiUrl: `http://127.0.0.1:${ports.api}`, realtimeUrl: `ws://127.0.0.1:${ports.realtime}` };
  }
  return { apiUrl: `http://127.0.0.1:${frontDoor.port}/api`, realtimeUrl: `ws://127.0.0.1:${frontDoor.port}/ws` };
}
