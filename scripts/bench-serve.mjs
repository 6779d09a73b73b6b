/**
 * `npm run bench:serve`: the server of `gpn-cli serve` under load, by autocannon.
 *
 *   npm run bench:serve                       32 clients with and without shared runs, and batches of 64
 *   npm run bench:serve -- --model dcgan-mnist --seconds 10 --rounds 3
 *   npm run bench:serve -- --overload 600     then twice as many requests as it answers, for ten minutes
 *   npm run bench:serve -- --overload 600 --rate 6000    instead: so many requests a second, if others use the machine
 *   npm run bench:serve -- --idle 10000       then so many connections that say nothing (see ulimit -n)
 *   npm run bench:serve -- --delay 5          milliseconds that a request waits for others
 *   npm run bench:serve -- --defaults         instead: delays and largest batches, as a table
 *
 * Each answer is compared with what the runtime draws of its seed. `live` is asked for by a process of its
 * own, every 20 ms. Servers take turns round by round, after one round that does not count, because Node
 * compiles meanwhile; figures are medians over the rounds. The processor time of a request is the server's,
 * and that of a client is this process's: on a busy machine they say more than requests a second.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Generator } from '@gpn/runtime';
import autocannon from 'autocannon';
import { median } from './bench-runtime/timing.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'gan-mnist' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    delay: { type: 'string', default: '0' },
    defaults: { type: 'boolean' },
    overload: { type: 'string' },
    rate: { type: 'string' },
    idle: { type: 'string' },
    probe: { type: 'string' },
  },
});
const { model } = values;
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
const CLIENTS = 32;
const SEEDS = 256;

/** Asks whether the server is live until it is told to end; sends the milliseconds that each took. */
async function probe(url) {
  const agent = new Agent({ keepAlive: true });
  const ask = async () => {
    const start = performance.now();
    const [response] = await once(get(`${url}/v2/health/live`, { agent }), 'response');
    await once(response.resume(), 'end');
    return response.statusCode === 200 ? performance.now() - start : Number.POSITIVE_INFINITY;
  };
  // The first ones take as long as this process needs to load what asks.
  for (let k = 0; k < 10; k++) await ask();
  const times = [];
  let asking = true;
  process.once('message', () => {
    asking = false;
  });
  process.send('ready');
  while (asking) {
    times.push(await ask());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  agent.destroy();
  process.send(times);
}

async function watchLive(url, work) {
  const child = fork(fileURLToPath(import.meta.url), ['--probe', url]);
  await once(child, 'message');
  const result = await work();
  child.send('end');
  const [times] = await once(child, 'message');
  child.disconnect();
  times.sort((a, b) => a - b);
  return { ...result, live: { p99: times[Math.floor(times.length * 0.99)], most: times.at(-1) } };
}

async function serve(...args) {
  const cli = fileURLToPath(new URL('../cli/bin/gpn-cli.js', import.meta.url));
  const child = spawn(
    process.execPath,
    [cli, 'serve', model, '--device', 'cpu', '--port', '0', '--json', ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = await once(child.stdout, 'data');
  child.stdout.resume();
  return { child, url: JSON.parse(String(line)).url };
}

async function stop({ child }) {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = await ended;
  if (code !== 0) throw new Error(`the server ended with ${code}`);
}

/** Microseconds of processor time that a server has taken, where the system tells. */
const processorTime = async (url) =>
  1e6 * Number(/^process_cpu_seconds_total (\S+)/m.exec(await metricsOf(url))[1]);

/** Loads a server with pictures of one image, and compares each with the picture of its seed. */
async function load(url, expected, { connections = CLIENTS, duration = seconds, rate } = {}) {
  const statuses = {};
  let [seed, wrong] = [0, 0];
  const requests = [
    {
      setupRequest: (request, context) => {
        context.seed = seed++ % SEEDS;
        return { ...request, path: `/generators/${model}?count=1&seed=${context.seed}` };
      },
      onResponse: (status, body, context) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === 200 && body !== expected[context.seed]) wrong++;
      },
    },
  ];
  const before = [await processorTime(url), process.cpuUsage()];
  const result = await autocannon({
    ...{ url, connections, duration, requests },
    ...(rate && { overallRate: rate }),
  });
  const { latency, errors } = result;
  const { user, system } = process.cpuUsage(before[1]);
  const count = statuses[200] ?? 0;
  return {
    ...{ statuses, wrong, errors, answered: count / result.duration, p99: latency.p99 },
    cost: {
      server: ((await processorTime(url)) - before[0]) / count,
      client: (user + system) / count,
    },
  };
}

/** Images a second in batches of 64: of the server by two clients, and of the runtime. */
async function batches(url, generator) {
  const BATCH = 64;
  const result = await autocannon({
    ...{
      url: `${url}/generators/${model}?count=${BATCH}&seed=1`,
      connections: 2,
      duration: seconds,
    },
  });
  const server = (BATCH * result['2xx']) / result.duration;
  const start = performance.now();
  let drawn = 0;
  while (performance.now() - start < 1000 * seconds) {
    await (await generator.sample({ count: BATCH, seed: 1 })).toPNG();
    drawn += BATCH;
  }
  return { server, runtime: (1000 * drawn) / (performance.now() - start) };
}

const metricsOf = async (url) => (await fetch(`${url}/metrics`)).text();

const memoryOf = async (url) =>
  Number(/^process_resident_memory_bytes (\S+)/m.exec(await metricsOf(url))[1]) / 2 ** 20;

const count = (object) =>
  Object.entries(object)
    .map(([status, times]) => `${times} × ${status}`)
    .join(', ');

async function main() {
  const generator = await Generator.load(model, { device: 'cpu' });
  const expected = [];
  for (let seed = 0; seed < SEEDS; seed++) {
    const png = await (await generator.sample({ count: 1, seed })).toPNG();
    expected.push(Buffer.from(png).toString()); // as autocannon gives bodies
  }
  if (values.defaults) await defaults(expected);
  else if (values.overload && values.rate) await overload(expected, Number(values.rate));
  else await measure(generator, expected);
  await generator.dispose();
}

async function measure(generator, expected) {
  const shared = await serve('--batch-delay', values.delay);
  const alone = await serve('--max-batch', '1');
  for (const { url } of [shared, alone]) await load(url, expected);
  const runs = [];
  for (let round = 0; round < rounds; round++) {
    const one = await watchLive(shared.url, () => load(shared.url, expected));
    runs.push({ shared: one, alone: await load(alone.url, expected) });
  }
  const of = (pick) => median(runs.map(pick));
  const rate = of(({ shared }) => shared.answered);
  console.log(`${model}, ${CLIENTS} clients with an image each, ${rounds} rounds of ${seconds} s`);
  console.log(
    `shared runs: ${rate.toFixed(0)} requests/s, p99 ${of(({ shared }) => shared.p99)} ms`,
  );
  console.log(
    `alone: ${of(({ alone }) => alone.answered).toFixed(0)} requests/s; ratio ` +
      of(({ shared, alone }) => shared.answered / alone.answered).toFixed(2),
  );
  for (const side of ['server', 'client']) {
    const [together, single] = ['shared', 'alone'].map((kind) => of((run) => run[kind].cost[side]));
    console.log(
      `processor time of the ${side} for a request: ${together.toFixed(0)} µs with shared runs, ` +
        `${single.toFixed(0)} µs alone; ratio ${(single / together).toFixed(2)}`,
    );
  }
  console.log(
    `live meanwhile: p99 ${of(({ shared }) => shared.live.p99).toFixed(1)} ms, ` +
      `at most ${Math.max(...runs.map(({ shared }) => shared.live.most)).toFixed(1)} ms`,
  );
  const all = runs.flatMap(({ shared, alone }) => [shared, alone]);
  const total = (pick) => all.reduce((sum, each) => sum + pick(each), 0);
  console.log(
    `answers: ${total(({ statuses }) => statuses[200] ?? 0)} × 200, ${total(({ wrong }) => wrong)} wrong, ` +
      `${total(({ errors }) => errors)} errors`,
  );
  await stop(alone);
  const shares = [];
  for (let round = 0; round < rounds; round++) {
    const { server, runtime } = await batches(shared.url, generator);
    shares.push(server / runtime);
  }
  console.log(
    `batches of 64: ${(100 * median(shares)).toFixed(0)} % of the runtime's own images/s`,
  );
  await stop(shared);
  if (values.overload) await overload(expected, 2 * rate);
  if (values.idle) await idle(Number(values.idle));
}

/** How the delay and the largest batch were chosen. */
async function defaults(expected) {
  const settings = [
    ...[0, 1, 2, 5, 10].map((delay) => ({ delay, batch: 64 })),
    ...[8, 16, 32, 128].map((batch) => ({ delay: 0, batch })),
  ];
  const servers = [];
  for (const { delay, batch } of settings) {
    servers.push(await serve('--batch-delay', `${delay}`, '--max-batch', `${batch}`));
  }
  const runs = servers.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [k, { url }] of servers.entries()) {
      const many = await load(url, expected);
      const one = await load(url, expected, { connections: 1, duration: Math.ceil(seconds / 4) });
      if (round > 0) runs[k].push({ many, one });
    }
  }
  console.log(
    `| delay, ms | largest batch | requests/s of ${CLIENTS} clients | p99, ms | processor time, µs | ` +
      'requests/s of one client |\n| --- | --- | --- | --- | --- | --- |',
  );
  for (const [k, { delay, batch }] of settings.entries()) {
    const of = (pick) => median(runs[k].map(pick)).toFixed(0);
    const [rate, p99] = [of(({ many }) => many.answered), of(({ many }) => many.p99)];
    const [cost, single] = [of(({ many }) => many.cost.server), of(({ one }) => one.answered)];
    console.log(`| ${[delay, batch, rate, p99, cost, single].join(' | ')} |`);
  }
  for (const server of servers) await stop(server);
}

async function overload(expected, rate) {
  const server = await serve('--max-queue', '64', '--batch-delay', values.delay);
  const before = await memoryOf(server.url);
  const duration = Number(values.overload);
  const memories = [];
  const timer = setInterval(async () => memories.push(await memoryOf(server.url)), 5000);
  const { statuses, wrong, errors, live } = await watchLive(server.url, () =>
    load(server.url, expected, { connections: 1024, duration, rate }),
  );
  clearInterval(timer);
  const tenth = Math.max(1, Math.floor(memories.length / 10));
  console.log(
    `${rate.toFixed(0)} requests/s for ${duration} s: ${count(statuses)}, ${wrong} wrong, ${errors} errors; live p99 ` +
      `${live.p99.toFixed(1)} ms; memory ${before.toFixed(0)} MiB before, then ` +
      `${memories
        .filter((_, k) => k % tenth === tenth - 1)
        .map((each) => each.toFixed(0))
        .join(', ')} MiB`,
  );
  await stop(server);
}

async function idle(connections) {
  const server = await serve();
  const { port } = new URL(server.url);
  const sockets = [];
  let failed = 0;
  for (let k = 0; k < connections; k++) {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => failed++);
    sockets.push(socket);
    if (k % 500 === 499) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const start = performance.now();
  const { status } = await fetch(`${server.url}/generators/${model}?count=1`);
  const open = sockets.filter((socket) => socket.readyState === 'open').length;
  console.log(
    `${open} idle connections are open, ${failed} failed; the next request: ${status} in ` +
      `${(performance.now() - start).toFixed(0)} ms`,
  );
  for (const socket of sockets) socket.destroy();
  await stop(server);
}

if (values.probe) await probe(values.probe);
else await main();
