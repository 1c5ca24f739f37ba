// Creates, changes and deletes entries all the time, and remembers what the server acknowledged.
import { credentials } from '@grpc/grpc-js';
import { createClient } from '@steeple/proto/grpc';
import { entryV1 } from '@steeple/proto/server-api';
import { SpiffeId } from '@steeple/spiffe';

interface Known {
  readonly id: string;
  ttl: number;
  deleted: boolean;
}

export class EntryWriter {
  acknowledged = 0;
  readonly #known: Known[] = [];
  /** Changes whose answer never came: they may or may not be there. */
  readonly #unsure = new Set<string>();
  readonly #client: ReturnType<typeof connect>;
  readonly #parent: SpiffeId;
  #stopped = false;

  constructor(socket: string, parent: string) {
    this.#client = connect(socket);
    this.#parent = SpiffeId.parse(parent);
  }

  async run(): Promise<void> {
    for (let count = 0; !this.#stopped; count += 1) {
      const id = `crash-${count}`;
      try {
        await this.#create(id);
        if (count % 3 === 1) await this.#update(count - 1);
        if (count % 5 === 4) await this.#delete(count - 2);
      } catch {
        // The server is away; whatever was under way is unsure.
        await new Promise((done) => setTimeout(done, 20));
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
  }

  /** Every acknowledged change that the server does not know of any more. */
  async missing(): Promise<string[]> {
    const { entries } = await this.#listed();
    const there = new Map(entries.map((entry) => [entry.id, entry.x509SvidTtl]));
    return this.#known.flatMap(({ id, ttl, deleted }) => {
      if (this.#unsure.has(id)) return [];
      if (deleted) return there.has(id) ? [`deletion of ${id}`] : [];
      if (!there.has(id)) return [`entry ${id}`];
      return there.get(id) === ttl ? [] : [`update of ${id} to ${ttl} (is ${there.get(id)})`];
    });
  }

  /** The channel may still be waiting to try a server again that has come back by now. */
  async #listed(): Promise<{ entries: { id: string; x509SvidTtl: number }[] }> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#client.listEntries({}, { deadline: 30 });
      } catch (error) {
        if (tries === 50) throw error;
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  }

  async #create(id: string): Promise<void> {
    const td = this.#parent.trustDomain.name;
    const entry = {
      id,
      spiffeId: { trustDomain: td, path: `/crash/${id}` },
      parentId: { trustDomain: td, path: this.#parent.path },
      selectors: [{ type: 'crash', value: id }],
      x509SvidTtl: 100,
    };
    const { results } = await this.#client.batchCreateEntry({ entries: [entry] }, { deadline: 5 });
    if (results[0]?.status?.code !== 0) throw new Error(results[0]?.status?.message);
    this.#known.push({ id, ttl: 100, deleted: false });
    this.acknowledged += 1;
  }

  async #update(count: number): Promise<void> {
    const known = this.#known.find(({ id }) => id === `crash-${count}`);
    if (known === undefined) return;
    await this.#surely(known, async () => {
      const ttl = known.ttl + 1;
      const entries = [{ id: known.id, x509SvidTtl: ttl }];
      const { results } = await this.#client.batchUpdateEntry(
        { entries, inputMask: { x509SvidTtl: true } },
        { deadline: 5 },
      );
      if (results[0]?.status?.code !== 0) throw new Error(results[0]?.status?.message);
      known.ttl = ttl;
    });
  }

  async #delete(count: number): Promise<void> {
    const known = this.#known.find(({ id }) => id === `crash-${count}`);
    if (known === undefined) return;
    await this.#surely(known, async () => {
      const { results } = await this.#client.batchDeleteEntry({ ids: [known.id] }, { deadline: 5 });
      if (results[0]?.status?.code !== 0) throw new Error(results[0]?.status?.message);
      known.deleted = true;
    });
  }

  async #surely(known: Known, change: () => Promise<void>): Promise<void> {
    try {
      await change();
      this.acknowledged += 1;
    } catch (error) {
      this.#unsure.add(known.id);
      throw error;
    }
  }
}

function connect(socket: string) {
  const options = { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 200 };
  return createClient(entryV1.Entry, { address: `unix:${socket}`, credentials: credentials.createInsecure(), options });
}
