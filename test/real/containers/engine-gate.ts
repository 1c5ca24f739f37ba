// Between the agent and the engine: passes everything on, or behaves like an engine that is not well.
import { connect, createServer, type Socket } from 'node:net';

type Behaviour = (client: Socket) => void;

export class EngineGate implements AsyncDisposable {
  readonly socketPath: string;
  readonly #engine: string;
  readonly #clients = new Set<Socket>();
  #behaviour: Behaviour = (client) => this.#pass(client);
  readonly #server = createServer((client) => {
    this.#clients.add(client);
    client.on('error', () => client.destroy()).on('close', () => this.#clients.delete(client));
    this.#behaviour(client);
  });

  private constructor(socketPath: string, engine: string) {
    this.socketPath = socketPath;
    this.#engine = engine;
  }

  static async open(socketPath: string, engine: string): Promise<EngineGate> {
    const gate = new EngineGate(socketPath, engine);
    await new Promise<void>((done) => gate.#server.listen(socketPath, done));
    return gate;
  }

  /** Takes requests and answers none. */
  silent(): void {
    this.#behaviour = () => undefined;
  }

  /** Answers everything with this. */
  saying(text: string): void {
    this.#behaviour = (client) => void client.once('data', () => client.end(text));
  }

  /** Lets the next request wait: `asked` resolves when it is there, `go` lets it pass. */
  holding(): { readonly asked: Promise<void>; readonly go: () => void } {
    const asked = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    this.#behaviour = (client) => {
      asked.resolve();
      void gone.promise.then(() => this.#pass(client));
    };
    return { asked: asked.promise, go: () => gone.resolve() };
  }

  open(): void {
    this.#behaviour = (client) => this.#pass(client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  #pass(client: Socket): void {
    const engine = connect(this.#engine);
    engine.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('close', () => engine.destroy());
    client.pipe(engine).pipe(client);
  }
}
