const words = (text: string): string[] => text.trim().split(/\s+/);

/**
 * What may stand in a log line, by name. Everything else is hidden, so that a new field is private until somebody decides
 * otherwise here. Never add a phone number, email, name of a person, token, address, free text of a user, or a coordinate.
 */
const ALLOWED_KEYS = new Set(
  words(`
    service instance purpose role name component host port source engine version path
    partition partitions shard topic class frame stream group consumer collection database channel
    method route status code retryable reason outcome detail scope kind action parts
    run seq from to offset epoch attempt level cursor signal step steps
    state isOpen isReady isCluster isPrimary isEnabled
    err error cause facts settings options counts request reply driver trip connection
    type message stack errors
  `),
);

/** Ids and short codes. */
const ID_SUFFIX = /(?:Id|Ids|Code|State|Status|Kind|Name|Version|Key|Reason)$/;
const NAMES_OF_PEOPLE = /(?:first|last|full|display|user|driver|rider|contact|passenger)Name$/i;
const SECRET_KEYS = /(?:api|public|private|secret|signing|blind)Key$/i;

/** Counts, sizes and durations: shown if the value is a number. */
const NUMBER_SUFFIX = new RegExp(
  `(?:${words(`
    Ms Seconds Bytes Count Total Size Length Depth PerSecond Ratio Percent Port Pid At Meters
    Finished Aborted Drained Forced Dropped Lost Pending Failed Stored Sent Received Accepted Refused Closed Opened
  `).join('|')})$`,
);
const NUMBER_WORDS = new Set(
  words(`
    pid count total size bytes limit max min fixes drivers trips riders sockets requests frames batches entries messages
    documents indexes collections keys topics drops duplicates retries jobs lines points nodes uptime
    finished aborted drained forced dropped lost pending failed stored sent received accepted refused closed opened
  `),
);

export function isAllowed(key: string, value: unknown): boolean {
  if (ALLOWED_KEYS.has(key)) return true;
  if (typeof value === 'number' || typeof value === 'boolean') {
    return NUMBER_SUFFIX.test(key) || NUMBER_WORDS.has(key) || ID_SUFFIX.test(key);
  }
  return ID_SUFFIX.test(key) && !NAMES_OF_PEOPLE.test(key) && !SECRET_KEYS.test(key);
}
