import { describeCloseCode, describeUpgrade, upgradeOutcomes } from './close-code-words.ts';
import styles from './cluster.module.css';
import type { Cluster } from './follow-cluster.ts';
import { formatCount } from './format-figures.ts';

/** Why sockets ended, in words. A code keeps its row: they stand in the order of their numbers. */
export function CloseCodeTable({ total }: { total: Cluster['total'] }) {
  const codes = Object.entries(total.closed)
    .map(([code, count]) => ({ code: Number(code), count }))
    .sort((one, other) => one.code - other.code);
  return (
    <section className={styles.counts} aria-labelledby="closed-heading">
      <h2 id="closed-heading">Ended connections</h2>
      <p>By close code, counted since each node started</p>
      {codes.length === 0 ? (
        <p className={styles.none}>No connection has ended yet. Every one that does is counted here with its reason.</p>
      ) : (
        <table aria-label="Close codes">
          <thead>
            <tr>
              <th scope="col">Code</th>
              <th scope="col">Why</th>
              <th scope="col">The app</th>
              <th scope="col">Count</th>
            </tr>
          </thead>
          <tbody>
            {codes.map(({ code, count }) => {
              const { name, meaning, afterwards } = describeCloseCode(code);
              return (
                <tr key={code}>
                  <td>{code}</td>
                  <th scope="row">
                    {name}
                    <small>{meaning}</small>
                  </th>
                  <td>{afterwards}</td>
                  <td>{formatCount(count)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** What became of those who asked for a socket. */
export function UpgradeTable({ total }: { total: Cluster['total'] }) {
  const unknown = Object.keys(total.upgrades).filter((outcome) => !upgradeOutcomes.includes(outcome));
  return (
    <section className={styles.counts} aria-labelledby="upgrades-heading">
      <h2 id="upgrades-heading">Upgrades</h2>
      <p>Sockets asked for, counted since each node started</p>
      <table aria-label="Upgrades">
        <thead>
          <tr>
            <th scope="col">Outcome</th>
            <th scope="col">Count</th>
          </tr>
        </thead>
        <tbody>
          {[...upgradeOutcomes, ...unknown].map((outcome) => {
            const { name, meaning } = describeUpgrade(outcome);
            return (
              <tr key={outcome}>
                <th scope="row">
                  {name}
                  <small>{meaning}</small>
                </th>
                <td>{formatCount(total.upgrades[outcome] ?? 0)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
