import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { MetricKind, MetricSink, Series } from './metric-sink.ts';
import type { Labels } from './metrics.ts';

/** Bytes that fit one datagram on every usual network, and milliseconds that a line waits for others. */
const DATAGRAM = 1400;
const PAUSE = 100;

const TYPE: Readonly<Record<MetricKind, string>> = { counter: 'c', gauge: 'g', sample: 'ms' };

/** How labels are written: values appended to the name (StatsD has no labels), or as DogStatsD's tags. */
type StatsdDialect = 'statsd' | 'dogstatsd';

export interface StatsdTarget {
  readonly host: string;
  readonly port: number;
  readonly dialect: StatsdDialect;
}

/** Sends numbers over UDP, several per datagram. A collector that is away costs nothing and is not noticed. */
export class StatsdSink implements MetricSink {
  readonly #target: StatsdTarget;
  readonly #socket: Socket;
  #waiting: string[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(target: StatsdTarget) {
    this.#target = target;
    this.#socket = createSocket(isIPv6(target.host) ? 'udp6' : 'udp4');
    this.#socket.on('error', () => {});
    this.#socket.unref();
  }

  series(kind: MetricKind, key: string, labels: Labels): Series {
    const values = Object.values(labels);
    const tags = Object.entries(labels).map(([name, value]) => `${plain(name)}:${plain(value)}`);
    const isDog = this.#target.dialect === 'dogstatsd';
    const name = plain(isDog ? key : [key, ...values].join('.'));
    const end = `|${TYPE[kind]}${isDog && tags.length > 0 ? `|#${tags.join(',')}` : ''}`;
    return (value) => this.#put(`${name}:${value}${end}`);
  }

  /** Sends what waits, and ends. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((done) => this.#flush(done));
    this.#closed = true;
    this.#socket.close();
  }

  #put(line: string): void {
    if (this.#closed) return;
    if (this.#bytes + line.length + 1 > DATAGRAM) this.#flush();
    this.#waiting.push(line);
    this.#bytes += line.length + 1;
    this.#timer ??= setTimeout(() => this.#flush(), PAUSE).unref();
  }

  #flush(done: () => void = () => {}): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return done();
    const datagram = Buffer.from(`${this.#waiting.join('\n')}\n`);
    this.#waiting = [];
    this.#bytes = 0;
    this.#socket.send(datagram, this.#target.port, this.#target.host, () => done());
  }
}

// Colons, spaces, bars, commas and line feeds are StatsD's own punctuation.
const plain = (text: string): string => text.replaceAll(/[:\s|,#@]/g, '_');
