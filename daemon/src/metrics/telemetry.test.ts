import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { checkValue } from '../config/check-config.ts';
import { silentLogger } from '../logger.ts';
import { measureCall } from './measure-call.ts';
import { Telemetry } from './telemetry.ts';
import { telemetrySchema } from './telemetry-schema.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

const telemetry = (settings: object | undefined): Telemetry => {
  const made = new Telemetry({
    settings: settings && checkValue(telemetrySchema, settings),
    prefix: 'spire_server',
    trustDomain: 'example.org',
    hostname: 'node-7',
    version: '1.2.3',
    clock: systemClock,
    logger: silentLogger,
    createSpiffeServer: () => {
      throw new Error('not in this test');
    },
  });
  open.push(made);
  return made;
};

const scrape = async (made: Telemetry, init?: RequestInit): Promise<string> => {
  const { address, port } = made.address ?? { address: '', port: 0 };
  const host = address.includes(':') ? `[${address}]` : address;
  const response = await fetch(`http://${host}:${port}/metrics`, init);
  return `${response.status} ${await response.text()}`;
};

describe('Prometheus', () => {
  it('shows counters, gauges and summaries under the names of SPIRE', async () => {
    const made = telemetry({ Prometheus: { host: '127.0.0.1', port: 0 } });
    await made.start();
    made.metrics.counter('server_ca.sign.x509_svid');
    made.metrics.counter('server_ca.sign.x509_svid', {}, 4);
    made.metrics.gauge('manager.x509_ca.rotate.ttl', 3.5, { trust_domain_id: 'example.org' });
    for (const seconds of [0.001, 0.002, 0.003, 0.1]) made.metrics.timer('svid.rotate.elapsed_time', seconds);
    const text = await scrape(made);
    expect(text).toMatch(/^200 /);
    expect(text).toContain('# TYPE spire_server_server_ca_sign_x509_svid counter');
    expect(text).toContain('\nspire_server_server_ca_sign_x509_svid{host="node-7"} 5\n');
    expect(text).toContain(
      '\nspire_server_manager_x509_ca_rotate_ttl{trust_domain_id="example_org",host="node-7"} 3.5\n',
    );
    expect(text).toContain('\nspire_server_started{version="1_2_3",trust_domain_id="example_org",host="node-7"} 1\n');
    expect(text).toContain('# TYPE spire_server_svid_rotate_elapsed_time summary');
    expect(text).toContain('spire_server_svid_rotate_elapsed_time{host="node-7",quantile="0.5"} 2\n');
    expect(text).toContain('spire_server_svid_rotate_elapsed_time{host="node-7",quantile="0.99"} 100\n');
    expect(text).toContain('spire_server_svid_rotate_elapsed_time_sum{host="node-7"} 106\n');
    expect(text).toContain('spire_server_svid_rotate_elapsed_time_count{host="node-7"} 4\n');
    expect(text).toMatch(/\nprocess_resident_memory_bytes \d+\n/);
  });

  it('counts calls by status, and lets their outcome through', async () => {
    const made = telemetry({ Prometheus: { host: '127.0.0.1', port: 0 }, EnableHostnameLabel: false });
    await made.start();
    const meter = { metrics: made.metrics, clock: systemClock };
    expect(await measureCall(meter, 'svid.rotate', () => 7)).toBe(7);
    const refusal = GrpcError.of(Code.PERMISSION_DENIED, 'no');
    await expect(measureCall(meter, 'svid.rotate', () => Promise.reject(refusal))).rejects.toBe(refusal);
    const text = await scrape(made);
    expect(text).toContain('spire_server_svid_rotate{status="OK"} 1\n');
    expect(text).toContain('spire_server_svid_rotate{status="PermissionDenied"} 1\n');
    expect(text).toContain('spire_server_svid_rotate_elapsed_time_count{status="OK"} 1\n');
  });

  it('survives a name with another type, other labels and odd characters', async () => {
    const made = telemetry({ Prometheus: { host: '127.0.0.1', port: 0 }, EnableHostnameLabel: false });
    await made.start();
    made.metrics.counter('a.b-c', { why: 'x"y\nz' });
    made.metrics.gauge('a.b-c', 9);
    made.metrics.counter('a.b-c', { other: '1' });
    made.metrics.counter('down', {}, -1);
    const text = await scrape(made);
    expect(text).toContain('spire_server_a_b_c{why="x_y_z"} 1\n');
    expect(text).not.toContain('a_b_c 9');
  });

  it('answers nothing but GET', async () => {
    const made = telemetry({ Prometheus: { host: '127.0.0.1', port: 0 } });
    await made.start();
    expect(await scrape(made, { method: 'POST', body: 'x' })).toMatch(/^405/);
  });

  it('publishes only what is allowed', async () => {
    const made = telemetry({
      Prometheus: { host: '127.0.0.1', port: 0 },
      MetricPrefix: 'mine',
      EnableTrustDomainLabel: true,
      BlockedPrefixes: ['mine.rpc', 'mine.datastore'],
      AllowedPrefixes: ['mine.rpc.svid', 'mine.ca'],
      BlockedLabels: ['host'],
    });
    await made.start();
    for (const key of ['rpc.svid.mint', 'rpc.entry.count', 'ca.sign', 'node.count']) made.metrics.counter(key);
    const text = await scrape(made);
    expect(text).toContain('mine_rpc_svid_mint{trust_domain="example_org"} 1');
    expect(text).toContain('mine_ca_sign{');
    expect(text).not.toMatch(/rpc_entry|node_count/);
  });
});

describe('StatsD and DogStatsD', () => {
  const collector = async (): Promise<{ port: number; lines: () => Promise<string[]> }> => {
    const socket: Socket = createSocket('udp4');
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
    open.push({ [Symbol.asyncDispose]: () => new Promise((done) => socket.close(() => done())) });
    const lines = (): Promise<string[]> =>
      new Promise((done) => socket.once('message', (datagram) => done(String(datagram).trimEnd().split('\n'))));
    return { port: (socket.address() as AddressInfo).port, lines };
  };

  it('sends several numbers in one datagram', async () => {
    const [plain, dog] = [await collector(), await collector()];
    const made = telemetry({
      Statsd: [{ address: `127.0.0.1:${plain.port}` }],
      DogStatsd: [{ address: `127.0.0.1:${dog.port}` }],
    });
    const [plainLines, dogLines] = [plain.lines(), dog.lines()];
    made.metrics.counter('rpc.svid.v1', { status: 'OK' });
    made.metrics.gauge('up', 2);
    made.metrics.timer('took', 0.25, { why: 'a b' });
    expect(await plainLines).toEqual([
      'spire_server.rpc.svid.v1.OK.node-7:1|c',
      'spire_server.up.node-7:2|g',
      'spire_server.took.a_b.node-7:250|ms',
    ]);
    expect(await dogLines).toEqual([
      'spire_server.rpc.svid.v1:1|c|#status:OK,host:node-7',
      'spire_server.up:2|g|#host:node-7',
      'spire_server.took:250|ms|#why:a_b,host:node-7',
    ]);
  });

  it('does not mind a collector that is away, and sends nothing after its end', async () => {
    const gone = await collector();
    const made = telemetry({ Statsd: [{ address: `127.0.0.1:${gone.port}` }] });
    await open.shift()?.[Symbol.asyncDispose]();
    for (let n = 0; n < 500; n += 1) made.metrics.counter('flood', { n: String(n) });
    await made.close();
    made.metrics.counter('late');
    await made.close();
  });
});

describe('settings', () => {
  it('does nothing without a collector', async () => {
    const made = telemetry({ EnableHostnameLabel: false });
    expect(made.isOn).toBe(false);
    expect(made.middleware()).toEqual([]);
    await made.start();
    await made.run(new AbortController().signal);
    expect(made.address).toBeUndefined();
  });

  it('names what is wrong', () => {
    const problem = (settings: object): string => {
      try {
        checkValue(telemetrySchema, settings);
        return 'accepted';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(problem({ M3: [{ address: 'a:1', env: 'x' }] })).toContain('M3 is not supported');
    expect(problem({ InMem: {} })).toContain('InMem');
    expect(problem({ Statsd: [{ address: 'localhost' }] })).toContain('localhost:8125');
    expect(problem({ Prometheus: { port: 70_000 } })).toContain('Prometheus.port');
    expect(problem({ Prometheus: { port: 1, tls: { cert_file: 'x' } } })).toContain('key_file');
    expect(problem({ Prometheus: { port: 1, tls: { use_spire_svid: true, cert_file: 'x' } } })).toContain('together');
    expect(problem({ Promethius: { port: 1 } })).toContain('Prometheus');
    expect(problem({ DogStatsd: { address: '[::1]:8125' } })).toBe('accepted');
  });

  it('says which port is taken', async () => {
    const first = telemetry({ Prometheus: { host: '127.0.0.1', port: 0 } });
    await first.start();
    const second = telemetry({ Prometheus: { host: '127.0.0.1', port: first.address?.port ?? 0 } });
    await expect(second.start()).rejects.toThrow(/telemetry\.Prometheus\.port.*in use/);
  });
});
