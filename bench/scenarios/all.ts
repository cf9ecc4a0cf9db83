import type { Scenario } from '../harness/scenario.ts';
import { connections } from './connections.ts';
import { fanOut } from './fan-out.ts';
import { history } from './history.ts';
import { httpLocation } from './http-location.ts';
import { hub } from './hub.ts';
import { ingestBatches, ingestSingle } from './ingest.ts';
import { latency15k } from './latency-15k.ts';
import { nearby } from './nearby.ts';
import { nearbyHttp } from './nearby-http.ts';
import { readable } from './readable.ts';
import { reconnectStorm } from './reconnect-storm.ts';
import { referenceLoad } from './reference-load.ts';
import { slowConsumers } from './slow-consumers.ts';
import { sockets100k } from './sockets-100k.ts';
import { sosAccept } from './sos-accept.ts';

/** In the order of the table. */
export const scenarios: readonly Scenario[] = [
  ingestBatches,
  ingestSingle,
  fanOut,
  connections,
  latency15k,
  referenceLoad,
  readable,
  httpLocation,
  nearby,
  nearbyHttp,
  history,
  hub,
  sosAccept,
  sockets100k,
  slowConsumers,
  reconnectStorm,
];
