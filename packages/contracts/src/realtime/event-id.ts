/**
 * Where one is in a topic's event log, as one word: the `id` of a server-sent event, and the `Last-Event-ID` that a client comes back
 * with. `<epoch>:<offset>`; `:0` where there was no log yet.
 */
export const eventIdPattern = '^[A-Za-z0-9_-]{0,32}:[0-9]{1,15}$';

export const formatEventId = ({ epoch, offset }: { epoch: string; offset: number }): string => `${epoch}:${offset}`;

/** @returns undefined where it is none of ours */
export function parseEventId(id: string): { epoch: string; offset: number } | undefined {
  if (!compiled.test(id)) return undefined;
  const colon = id.indexOf(':');
  return { epoch: id.slice(0, colon), offset: Number(id.slice(colon + 1)) };
}

const compiled = new RegExp(eventIdPattern);
