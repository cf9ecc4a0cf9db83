import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { bucketsSince, percentileOf, readBucketsOf, readCounter, readPercentile } from './read-metric.ts';

/** A service's metrics, as Prometheus reads them. */
async function serve(text: string): Promise<number> {
  const server = createServer((_, response) => response.end(text)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

const seconds = (fast: number, slow: number) => `# HELP sos_seconds How long
# TYPE sos_seconds histogram
sos_seconds_bucket{le="0.1",kind="a"} ${fast}
sos_seconds_bucket{le="0.5",kind="a"} ${fast + slow}
sos_seconds_bucket{le="+Inf",kind="a"} ${fast + slow}
sos_seconds_bucket{le="0.1",kind="b"} 1
sos_seconds_bucket{le="0.5",kind="b"} 1
sos_seconds_bucket{le="+Inf",kind="b"} 2
# TYPE done_total counter
`;

t.test('histograms of several processes and labels are one; who does not have it is left out', async (t) => {
  const ports = await Promise.all([seconds(3, 0), seconds(0, 4), '# TYPE other counter\nother 1\n'].map(serve));

  t.strictSame(await readBucketsOf(ports, 'sos_seconds'), [
    { within: 0.1, count: 5 },
    { within: 0.5, count: 9 },
    { within: Number.POSITIVE_INFINITY, count: 11 },
  ]);
  t.equal(await readPercentile(ports[0] as number, 'sos_seconds', 0.5), 0.1);
  await t.rejects(readPercentile(ports[2] as number, 'sos_seconds', 0.5), /no metric/);
  t.equal(await readCounter(ports[0] as number, 'done_total'), 0, 'nothing was counted yet');
});

t.test('a percentile between two readings knows nothing of what was before', async (t) => {
  const before = [
    { within: 0.1, count: 0 },
    { within: 0.5, count: 100 },
  ];
  const after = [
    { within: 0.1, count: 98 },
    { within: 0.5, count: 200 },
  ];

  t.equal(percentileOf(bucketsSince(before, after), 0.98), 0.1);
  t.equal(percentileOf(bucketsSince(before, after), 0.99), 0.5);
  t.throws(() => percentileOf(bucketsSince(after, after), 0.99), /observed nothing/);
});
