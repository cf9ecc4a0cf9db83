/**
 * Whom a drill counts as: a person of its own, not the one who asked for it. So whatever goes by the person keeps drills and real alerts
 * apart without knowing of them: the index of open alerts, the presses in a journal, whose alert a press joins. A real press while a drill
 * is open is a real alert, and no drill waits for another one.
 *
 * No id of a person has a colon in it.
 */
export const drillPersonId = ({ userId, alertId }: { userId: string; alertId: string }): string =>
  `drill:${userId}:${alertId}`;

/** Whose contacts an alert reaches: of a drill those of whoever asked for it. */
export const ownerOf = (personId: string): string => personId.split(':')[1] ?? personId;
