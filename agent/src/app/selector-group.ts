import { LatestSlot } from './latest-slot.ts';
import { sameView, type WorkloadView } from './workload-view.ts';

/** All streams with the same selectors. They share one view, computed once for all of them. */
export class SelectorGroup {
  readonly name: string;
  readonly keys: ReadonlySet<string>;
  readonly #slots = new Set<LatestSlot<WorkloadView>>();
  #x509Readers = 0;
  #view: WorkloadView | undefined;

  constructor(name: string, keys: ReadonlySet<string>) {
    this.name = name;
    this.keys = keys;
  }

  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }

  /** Whether somebody waits for X509-SVIDs here, so that those not fetched in advance are wanted too. */
  get wantsX509(): boolean {
    return this.#x509Readers > 0;
  }

  /** Adds a reader, whose slot holds `view` at once. */
  join(view: WorkloadView, wantsX509: boolean): { slot: LatestSlot<WorkloadView>; leave: () => void } {
    this.publish(view);
    const slot = new LatestSlot<WorkloadView>();
    slot.set(this.#view ?? view);
    this.#slots.add(slot);
    if (wantsX509) this.#x509Readers++;
    const leave = () => {
      if (this.#slots.delete(slot) && wantsX509) this.#x509Readers--;
    };
    return { slot, leave };
  }

  /** Tells everybody, unless there is nothing new to tell. */
  publish(view: WorkloadView): void {
    if (this.#view !== undefined && sameView(this.#view, view)) return;
    this.#view = view;
    for (const slot of this.#slots) slot.set(view);
  }
}
