import { publicAddresses } from './public-addresses.ts';
import type { FleetChoice, FrontDoorPorts, Ports } from './read-options.ts';

export interface ScreenFacts {
  readonly ports: Ports;
  /** Where several nodes stand behind one. */
  readonly frontDoor?: FrontDoorPorts | undefined;
  readonly link: string;
  /** False where messages really leave, through the person's own companies. */
  readonly hasInbox: boolean;
  readonly engines: readonly string[];
  readonly fleet: FleetChoice;
  readonly logsDir: string;
  readonly readyAfterSeconds: number;
  readonly isTerminal: boolean;
}

/** Everything a person needs next, on one screen of 24 lines. Pure. */
export function screenText(facts: ScreenFacts): string {
  const { ports, frontDoor } = facts;
  const { apiUrl, realtimeUrl } = publicAddresses(ports, frontDoor);
  const at = (port: number) => `http://127.0.0.1:${port}`;
  return [
    '',
    `HushRyd runs (ready after ${facts.readyAfterSeconds.toFixed(1)} s).`,
    '',
    '  Open the console, signed in (works once, for 10 minutes):',
    '',
    `    ${facts.link}`,
    '',
    `  API        ${apiUrl}   reference: ${at(ports.api)}/docs`,
    frontDoor === undefined
      ? `  Websocket  ${realtimeUrl}/v1/realtime`
      : `  Websocket  ${realtimeUrl}   on ${frontDoor.moreNodes.length + 1} nodes: ${at(frontDoor.metricsPort)}/stats`,
    `  Health     ${at(ports.api)}/health   metrics: ${at(ports.apiMetrics)}/metrics`,
    facts.hasInbox
      ? `  Inbox      ${at(ports.sandbox)}   every SMS, mail, push and call that is sent`
      : '  Messages   leave through the companies that your environment sets up',
    `  Cars       ${describeFleet(facts.fleet)}`,
    ...facts.engines.map((engine, index) => `  ${index === 0 ? 'Stores    ' : '          '} ${engine}`),
    `  Logs       ${facts.logsDir}/*.log`,
    '',
    '  Try next: click a car and press F to follow it · Ctrl-K to search a trip · replay its track with the slider',
    ...(facts.hasInbox && facts.fleet.kind !== 'none'
      ? ['            in the SOS desk let a simulated rider press SOS, and watch the inbox']
      : []),
    ...tryCommands(facts.fleet),
    '',
    facts.isTerminal
      ? '  Enter prints a new link. Ctrl-C ends everything; data is kept until npm run reset.'
      : '  Data is kept until npm run reset.',
    '',
  ].join('\n');
}

export function describeFleet(fleet: FleetChoice): string {
  switch (fleet.kind) {
    case 'none':
      return 'none (--no-fleet)';
    case 'city':
      return `${fleet.vehicles} in a made-up city, a fix every ${fleet.intervalMs / 1000} s`;
    case 'replay':
      return `recorded trips of ${fleet.file}${fleet.speed === 1 ? '' : `, ${fleet.speed} times as fast`}${fleet.isLooped ? ', again and again' : ''}`;
  }
}

function tryCommands(fleet: FleetChoice): string[] {
  return fleet.kind === 'city' && fleet.vehicles < 1000
    ? ['            npm start -- --vehicles 1000 · npm start -- --replay trips.csv --speed 10 · npm start -- --help']
    : ['            npm start -- --help'];
}
