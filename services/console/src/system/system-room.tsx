import { SkeletonLines } from '../feedback/empty-state.tsx';
import { ProblemNote } from '../feedback/problem-note.tsx';
import type { SystemView } from '../routing/view.ts';
import { formatAbsolute, formatAgo } from '../time/format-time.ts';
import { useTicking } from '../time/use-ticking.ts';
import { ClusterOverview } from './cluster/cluster-overview.tsx';
import { CloseCodeTable, UpgradeTable } from './cluster/count-tables.tsx';
import type { Cluster } from './cluster/follow-cluster.ts';
import { NodeTable } from './cluster/node-table.tsx';
import { pollMs, useCluster } from './cluster/use-cluster.ts';
import { PersonPanel } from './person/person-panel.tsx';
import styles from './system.module.css';

/** The realtime tier as a whole, and one person's connections on it. */
export function SystemRoom({ view }: { view: SystemView }) {
  const { cluster, error, retry } = useCluster();
  return (
    <div className={styles.room}>
      <div className={styles.cluster}>
        <header className={styles.header}>
          <h1>System</h1>
          {cluster && <AsOf cluster={cluster} isFailing={error !== null} />}
        </header>
        {cluster ? <ClusterSections cluster={cluster} /> : error === null && <ClusterSkeleton />}
        {error !== null && (
          <div className={styles.problem}>
            <ProblemNote
              error={error}
              what={cluster ? 'The figures are not renewed.' : 'The figures could not be read.'}
              stillWorks={cluster ? 'Those shown are the last that came.' : 'The live map still works.'}
              onRetry={retry}
            />
          </div>
        )}
      </div>
      <PersonPanel userId={view.userId} />
    </div>
  );
}

function ClusterSections({ cluster }: { cluster: Cluster }) {
  return (
    <>
      <ClusterOverview cluster={cluster} />
      <section aria-labelledby="nodes-heading">
        <h2 id="nodes-heading" className={styles.heading}>
          Nodes
        </h2>
        <NodeTable cluster={cluster} />
        <GoneNodes cluster={cluster} />
      </section>
      <div className={styles.columns}>
        <CloseCodeTable total={cluster.total} />
        <UpgradeTable total={cluster.total} />
      </div>
    </>
  );
}

/** The age of the figures, as long as there is any doubt about it. */
function AsOf({ cluster, isFailing }: { cluster: Cluster; isFailing: boolean }) {
  const nowMs = useTicking(Date.now, 1_000);
  const ageMs = Math.max(0, nowMs - cluster.receivedAtMs);
  return (
    <p className={styles.asOf} data-late={isFailing || undefined} title={formatAbsolute(cluster.asOfMs)}>
      As of {formatAgo(ageMs)}, renewed every {pollMs / 1_000} s
    </p>
  );
}

/** A row that changes its look is not heard. */
function GoneNodes({ cluster }: { cluster: Cluster }) {
  const gone = cluster.rows.filter(({ goneAtMs }) => goneAtMs !== undefined).map(({ stats }) => stats.nodeId);
  return (
    <p role="status" className="spoken-only">
      {gone.length > 0 && `No longer up: ${gone.join(', ')}`}
    </p>
  );
}

/** As high as what will stand there. */
function ClusterSkeleton() {
  return (
    <div className={styles.skeleton}>
      <SkeletonLines count={16} label="The figures are loading" />
    </div>
  );
}
