import { type CallMeter, measureCall } from '@steeple/daemon/metrics';
import type { Datastore } from '@steeple/plugins';
import { wrapMethods } from './wrap-methods.ts';

type Stores = Omit<Datastore, 'watch' | typeof Symbol.asyncDispose>;
type Operations = { readonly [S in keyof Stores]: { readonly [M in keyof Stores[S]]?: string } };

/** What SPIRE calls an operation of each store. */
const OPERATIONS: Operations = {
  bundles: {
    get: 'bundle.fetch',
    put: 'bundle.set',
    update: 'bundle.update',
    list: 'bundle.list',
    count: 'bundle.count',
    delete: 'bundle.delete',
  },
  entries: {
    create: 'registration_entry.create',
    update: 'registration_entry.update',
    delete: 'registration_entry.delete',
    get: 'registration_entry.fetch',
    list: 'registration_entry.list',
    count: 'registration_entry.count',
    pruneExpired: 'registration_entry.prune',
  },
  agents: {
    save: 'node.create',
    get: 'node.fetch',
    list: 'node.list',
    loadAll: 'node.list',
    count: 'node.count',
    delete: 'node.delete',
    ban: 'node.update',
    activateSerial: 'node.update',
    stageSerial: 'node.update',
    setVersion: 'node.update',
    pruneExpired: 'node.prune',
  },
  joinTokens: {
    create: 'join_token.create',
    check: 'join_token.fetch',
    consume: 'join_token.delete',
    pruneExpired: 'join_token.prune',
  },
  federation: {
    create: 'federation_relationship.create',
    update: 'federation_relationship.update',
    delete: 'federation_relationship.delete',
    get: 'federation_relationship.fetch',
    list: 'federation_relationship.list',
  },
  authorities: { load: 'ca_journal.fetch', save: 'ca_journal.set' },
  // Ours alone.
  audit: { append: 'audit_log.append', saveCheckpoint: 'audit_log.checkpoint' },
};

/** A datastore whose every operation is counted and timed. */
export const measuredDatastore = (datastore: Datastore, meter: CallMeter): Datastore => {
  const measured = <S extends object>(store: S, operations: Readonly<Record<string, string | undefined>>): S =>
    wrapMethods(store, (name, method) => {
      const operation = operations[name];
      if (operation === undefined) return undefined;
      return (...args) => measureCall(meter, `datastore.${operation}`, () => method(...args));
    });
  return {
    bundles: measured(datastore.bundles, OPERATIONS.bundles),
    entries: measured(datastore.entries, OPERATIONS.entries),
    agents: measured(datastore.agents, OPERATIONS.agents),
    joinTokens: measured(datastore.joinTokens, OPERATIONS.joinTokens),
    federation: measured(datastore.federation, OPERATIONS.federation),
    authorities: measured(datastore.authorities, OPERATIONS.authorities),
    audit: measured(datastore.audit, OPERATIONS.audit),
    watch: (listener) => datastore.watch(listener),
    [Symbol.asyncDispose]: () => datastore[Symbol.asyncDispose](),
  };
};
