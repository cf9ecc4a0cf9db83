import type { Connection } from './connection.ts';

export interface Connections extends Iterable<Connection> {
  add(connection: Connection): void;
  remove(connection: Connection): void;
  readonly size: number;
  get(connectionId: string): Connection | undefined;
  /** Open sockets of a user on this node. */
  of(userId: string): Connection[];
}

/** All sockets of this node. */
export function createConnections(): Connections {
  const all = new Map<string, Connection>();
  /** Nearly everybody has one socket here, and a set for each would cost more than the rest of the table. */
  const byUser = new Map<string, Connection | Set<Connection>>();

  return {
    add(connection) {
      all.set(connection.id, connection);
      const { userId } = connection.identity;
      const known = byUser.get(userId);
      if (known === undefined) byUser.set(userId, connection);
      else if (known instanceof Set) known.add(connection);
      else byUser.set(userId, new Set([known, connection]));
    },
    remove(connection) {
      if (!all.delete(connection.id)) return;
      const { userId } = connection.identity;
      const known = byUser.get(userId);
      if (!(known instanceof Set)) byUser.delete(userId);
      else if (known.delete(connection) && known.size === 0) byUser.delete(userId);
    },
    get size() {
      return all.size;
    },
    get: (connectionId) => all.get(connectionId),
    of(userId) {
      const known = byUser.get(userId);
      if (known === undefined) return [];
      return known instanceof Set ? [...known] : [known];
    },
    [Symbol.iterator]: () => all.values(),
  };
}
