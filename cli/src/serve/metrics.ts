/** What the server counts, in Prometheus' format. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Watch } from './dispatch.js';

export interface Metrics extends Watch {
  /** A response, to a route as it is declared: what clients send is no label. */
  answered(method: string, route: string, status: number, seconds: number): void;
  text(): Promise<string>;
  readonly type: string;
}

/** @param waiting gives the number of items in the queue */
export function metricsOf(waiting: () => number): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    ...{ name: 'gpn_request_seconds', help: 'Time to answer a request', registers },
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  });
  const runs = new Histogram({
    ...{ name: 'gpn_run_seconds', help: 'Time of a run of a model', registers },
    buckets: [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  });
  const batches = new Histogram({
    ...{ name: 'gpn_run_items', help: 'Items (images, rows) of a run', registers },
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  });
  const items = new Counter({ name: 'gpn_items_total', help: 'Items computed', registers });
  new Gauge({
    ...{ name: 'gpn_queue_items', help: 'Items that wait', registers },
    collect() {
      this.set(waiting());
    },
  });
  return {
    answered: (method, route, status, seconds) =>
      requests.observe({ method, route, status }, seconds),
    ran: (count, ms) => {
      runs.observe(ms / 1000);
      batches.observe(count);
      items.inc(count);
    },
    text: () => registry.metrics(),
    type: registry.contentType,
  };
}
