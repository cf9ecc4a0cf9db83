import type { Connection } from './connection.ts';

export interface Connections extends Iterable<Connection> {
  add(connection: Connection): void;
  remove(connection: Connection): void;
  readonly size: number;
  has(connectionId: string): boolean;
  /** Open sockets of a user on this node. */
  countOf(userId: string): number;
}

/** All sockets of this node. */
export function createConnections(): Connections {
  const all = new Map<string, Connection>();
  const countByUser = new Map<string, number>();

  return {
    add(connection) {
      all.set(connection.id, connection);
      const { userId } = connection.identity;
      countByUser.set(userId, (countByUser.get(userId) ?? 0) + 1);
    },
    remove(connection) {
      if (!all.delete(connection.id)) return;
      const { userId } = connection.identity;
      const count = countByUser.get(userId) ?? 0;
      if (count > 1) countByUser.set(userId, count - 1);
      else countByUser.delete(userId);
    },
    get size() {
      return all.size;
    },
    has: (connectionId) => all.has(connectionId),
    countOf: (userId) => countByUser.get(userId) ?? 0,
    [Symbol.iterator]: () => all.values(),
  };
}
