import styles from './cluster.module.css';
import { ConnectionsChart } from './connections-chart.tsx';
import type { Cluster } from './follow-cluster.ts';
import { formatCount } from './format-figures.ts';

const roles = [
  { role: 'driver', name: 'drivers' },
  { role: 'rider', name: 'riders' },
  { role: 'operator', name: 'operators' },
] as const;

/** How many are connected now, and over the last minutes. */
export function ClusterOverview({ cluster }: { cluster: Cluster }) {
  const { total } = cluster;
  return (
    <section className={styles.overview} aria-label="Connections now">
      <dl className={styles.figures}>
        <div className={styles.headline}>
          <dt>Connections</dt>
          <dd data-testid="connection-count">{formatCount(total.connections)}</dd>
        </div>
        {roles.map(({ role, name }) => (
          <div key={role}>
            <dt>{name}</dt>
            <dd>{formatCount(total.connectionsByRole[role] ?? 0)}</dd>
          </div>
        ))}
        <div>
          <dt>slow sockets</dt>
          <dd>{formatCount(total.slowSockets)}</dd>
        </div>
      </dl>
      <ConnectionsChart history={cluster.history} />
    </section>
  );
}
