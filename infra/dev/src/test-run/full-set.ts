import type { LeftOut } from './summary.ts';

/**
 * Test files that a plain `npm test` leaves out, and who runs them: whole systems under crowds, long faults and broken builds, each of
 * which takes both cores for a minute or more. What they look at in depth the quick set looks at once.
 */
export const fullSet: readonly LeftOut[] = [
  ...[
    'infra/dev/test/controls.test.ts',
    'infra/dev/test/failover-cluster.test.ts',
    'infra/dev/test/failover-sentinels.test.ts',
    'infra/dev/test/redis-trouble.test.ts',
    'infra/dev/test/silent-loss.test.ts',
    'infra/dev/test/storm.test.ts',
    'infra/dev/test/unwritable.test.ts',
    'packages/outreach/test/alert-fault-table.test.ts',
    'packages/outreach/test/fault-table.test.ts',
    'services/api/test/sos-escalation.test.ts',
  ].map((file) => ({ file, command: 'npm run test:faults' })),
  { file: 'infra/dev/test/soak.test.ts', command: 'npm run soak' },
];
