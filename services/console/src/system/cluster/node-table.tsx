import { Network } from 'lucide-react';
import { EmptyState } from '../../feedback/empty-state.tsx';
import { formatAbsolute, formatAge, formatAgo, formatMoment } from '../../time/format-time.ts';
import { useTicking } from '../../time/use-ticking.ts';
import styles from './cluster.module.css';
import type { Cluster, NodeRow } from './follow-cluster.ts';
import { formatBytes, formatCount } from './format-figures.ts';
import { nodeStatusOf, nodeStatusWords, silentForMs } from './node-status.ts';
import { countOtherKinds, topicKinds } from './topic-kinds.ts';

type Counts = Pick<
  NodeRow['stats'],
  'connections' | 'connectionsByRole' | 'subscriptions' | 'slowSockets' | 'upgrades'
>;

interface Column {
  name: string;
  /** Where the name is not enough. */
  title?: string;
  read: (counts: Counts) => number;
}

const slowColumn: Column = {
  name: 'Slow',
  title: 'Sockets that get only the newest positions, because they read too slowly',
  read: ({ slowSockets }) => slowSockets,
};
const connectionColumns: readonly Column[] = [
  { name: 'All', read: ({ connections }) => connections },
  { name: 'Drivers', read: ({ connectionsByRole }) => connectionsByRole.driver ?? 0 },
  { name: 'Riders', read: ({ connectionsByRole }) => connectionsByRole.rider ?? 0 },
  { name: 'Operators', read: ({ connectionsByRole }) => connectionsByRole.operator ?? 0 },
  slowColumn,
];
const topicColumns: readonly Column[] = topicKinds.map(({ kind, name }) => ({
  name,
  title: `Topics ${kind}`,
  read: ({ subscriptions }) => subscriptions[kind] ?? 0,
}));
const otherTopics: Column = {
  name: 'Other',
  title: 'Kinds of topic that this console does not know',
  read: ({ subscriptions }) => countOtherKinds(subscriptions),
};
const upgradeColumns: readonly Column[] = [
  { name: 'Accepted', read: ({ upgrades }) => upgrades.accepted ?? 0 },
  {
    name: 'Refused',
    title: 'Refused and put off',
    read: ({ upgrades }) => (upgrades.refused ?? 0) + (upgrades.rate_limited ?? 0),
  },
];
/** What stands under one heading; `Other` only where something is there to count. */
const groupsFor = (total: Counts): { heading: string; columns: readonly Column[] }[] => [
  { heading: 'Connections', columns: connectionColumns },
  {
    heading: 'Subscriptions',
    columns: otherTopics.read(total) > 0 ? [...topicColumns, otherTopics] : topicColumns,
  },
  { heading: 'Upgrades', columns: upgradeColumns },
];

type Groups = ReturnType<typeof groupsFor>;

/** Every node as of its last word, and all of them together. */
export function NodeTable({ cluster }: { cluster: Cluster }) {
  const nowMs = useTicking(Date.now, 1_000);
  const groups = groupsFor(cluster.total);
  if (cluster.rows.length === 0) return <NoNodes />;
  return (
    <div className={styles.scroller}>
      <table className={styles.nodes} aria-label="Realtime nodes">
        <NodeTableHead groups={groups} />
        <tbody>
          {cluster.rows.map((row) => (
            <NodeLine key={row.stats.nodeId} {...{ row, groups, nowMs, silentMs: silentForMs(row, cluster, nowMs) }} />
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">All nodes</th>
            <td />
            <CountCells groups={groups} counts={cluster.total} />
            <td />
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

function NodeTableHead({ groups }: { groups: Groups }) {
  return (
    <thead>
      <tr className={styles.groups}>
        <td colSpan={2} />
        {groups.map(({ heading, columns }) => (
          <th scope="colgroup" colSpan={columns.length} key={heading}>
            <span>{heading}</span>
          </th>
        ))}
        <td />
      </tr>
      <tr>
        <th scope="col">Node</th>
        <th scope="col">Spoke</th>
        {groups.map(({ heading, columns }) =>
          columns.map(({ name, title }, index) => (
            <th scope="col" key={`${heading} ${name}`} title={title} data-first={index === 0 || undefined}>
              {name}
            </th>
          )),
        )}
        <th scope="col" data-first>
          Memory
        </th>
      </tr>
    </thead>
  );
}

function NodeLine({ row, groups, silentMs, nowMs }: { row: NodeRow; groups: Groups; silentMs: number; nowMs: number }) {
  const { stats } = row;
  const status = nodeStatusOf(row, silentMs);
  return (
    <tr data-status={status}>
      <th scope="row">
        <span className={styles.nodeName} title={stats.nodeId}>
          {stats.nodeId}
        </span>
        <small>
          <span className={styles.status}>{nodeStatusWords[status]}</span>{' '}
          <span title={`Started ${formatAge(nowMs - stats.startedAtMs)} ago, ${formatAbsolute(stats.startedAtMs)}`}>
            since {formatMoment(stats.startedAtMs, nowMs)}
          </span>
        </small>
      </th>
      <td className={styles.spoke} title={formatAbsolute(nowMs - silentMs)}>
        {formatAgo(silentMs)}
      </td>
      <CountCells groups={groups} counts={stats} />
      <td data-first>{formatBytes(stats.residentBytes)}</td>
    </tr>
  );
}

function CountCells({ groups, counts }: { groups: Groups; counts: Counts }) {
  return groups.map(({ heading, columns }) =>
    columns.map((column, index) => {
      const count = column.read(counts);
      return (
        <td
          key={`${heading} ${column.name}`}
          data-first={index === 0 || undefined}
          data-zero={count === 0 || undefined}
          data-slow={(column === slowColumn && count > 0) || undefined}
        >
          {formatCount(count)}
        </td>
      );
    }),
  );
}

function NoNodes() {
  return (
    <EmptyState title="No realtime node is up" icon={<Network size={20} aria-hidden />}>
      <p>
        A node is listed three seconds after it started: <code>npm start</code> brings one, and whatever runs{' '}
        <code>services/realtime</code> over the same Redis is another.
      </p>
    </EmptyState>
  );
}
