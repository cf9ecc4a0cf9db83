import {
  Counter,
  type CounterConfiguration,
  collectDefaultMetrics,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Registry,
} from 'prom-client';

export interface Telemetry {
  registry: Registry;
  counter<Label extends string>(options: Omit<CounterConfiguration<Label>, 'registers'>): Counter<Label>;
  gauge<Label extends string>(options: Omit<GaugeConfiguration<Label>, 'registers'>): Gauge<Label>;
  histogram<Label extends string>(options: Omit<HistogramConfiguration<Label>, 'registers'>): Histogram<Label>;
}

/**
 * The metrics of one process: a registry with Node's own metrics, and makers of further ones in it.
 *
 * Asking twice for a name gives the same metric, so that two users of a part can share it. Nothing is global: two telemetries in one
 * process (tests) do not meet. Labels are small fixed sets; ids, phone numbers and coordinates never become one.
 *
 * @param withProcessMetrics false leaves out CPU, memory, event loop and garbage collection
 */
export function createTelemetry({
  service,
  instanceId,
  withProcessMetrics = true,
}: {
  service: string;
  instanceId: string;
  withProcessMetrics?: boolean;
}): Telemetry {
  const registry = new Registry();
  registry.setDefaultLabels({ service, instance: instanceId });
  if (withProcessMetrics) collectDefaultMetrics({ register: registry });

  return {
    registry,
    counter: (options) =>
      existing(registry, options.name, Counter) ?? new Counter({ ...options, registers: [registry] }),
    gauge: (options) => existing(registry, options.name, Gauge) ?? new Gauge({ ...options, registers: [registry] }),
    histogram: (options) =>
      existing(registry, options.name, Histogram) ?? new Histogram({ ...options, registers: [registry] }),
  };
}

function existing<Metric>(
  registry: Registry,
  name: string,
  kind: new (...args: never[]) => Metric,
): Metric | undefined {
  const metric: unknown = registry.getSingleMetric(name);
  if (metric === undefined) return undefined;
  if (!(metric instanceof kind)) throw new Error(`Metric ${name} exists as another kind`);
  return metric;
}
