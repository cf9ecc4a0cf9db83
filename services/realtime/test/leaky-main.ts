import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { readSettings } from '../src/config.ts';
import { Connection } from '../src/connections/connection.ts';
import { startRealtime } from '../src/service.ts';

// A realtime node that loses what it says, named by LEAK: every seventh event; beacons too; or all that a client is told in answer to
// its place. What its sockets hear is sent by `Connection`, so that is where the leak is.

const leaks: Readonly<Record<string, () => (text: string, deliveryClass: string) => boolean>> = {
  events: everySeventhEvent,
  'events and beacons': () => {
    const isLost = everySeventhEvent();
    return (text, deliveryClass) => deliveryClass === 'beacon' || isLost(text, deliveryClass);
  },
  'what is recovered': () => {
    let eventsToLose = 0;
    return (text, deliveryClass) => {
      if (text.includes('"recovered":true')) eventsToLose = 3;
      if (deliveryClass === 'beacon') return true;
      if (deliveryClass !== 'event' || !text.includes('"type":"event"') || eventsToLose === 0) return false;
      eventsToLose -= 1;
      return true;
    };
  },
};

function everySeventhEvent(): (text: string, deliveryClass: string) => boolean {
  let events = 0;
  return (text, deliveryClass) => {
    if (deliveryClass !== 'event' || !text.includes('"type":"event"')) return false;
    events += 1;
    return events % 7 === 0;
  };
}

const isLost = leaks[process.env.LEAK ?? '']?.();
if (isLost === undefined) throw new Error(`LEAK is one of ${Object.keys(leaks)}`);
const { send } = Connection.prototype;
Connection.prototype.send = function sendLeaking(text, deliveryClass) {
  return isLost(String(text), deliveryClass) ? true : send.call(this, text, deliveryClass);
};

const settings = readSettings(process.env);
const instanceId = createInstanceId('realtime');
const log = createLogger({ service: 'realtime', instanceId, level: settings.logLevel });
const lifecycle = createLifecycle({ log, timeoutMs: settings.shutdownTimeoutMs });
lifecycle.onSignals();
const telemetry = createTelemetry({ service: 'realtime', instanceId });
const { port } = await startRealtime({ settings, instanceId, log, telemetry, lifecycle });
log.info({ port }, 'listening');
