/** A method that may be called without its object. */
export type Method = (...args: unknown[]) => unknown;

/**
 * The same object with some of its methods replaced: `wrap` gets a name and the method, and returns what shall be called
 * instead, or undefined to leave it. Each method is wrapped once.
 */
export const wrapMethods = <T extends object>(
  target: T,
  wrap: (name: string, method: Method) => Method | undefined,
): T => {
  const wrapped = new Map<string | symbol, unknown>();
  return new Proxy(target, {
    get(_target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (!wrapped.has(name)) {
        const method: Method = (...args) => Reflect.apply(value, target, args) as unknown;
        wrapped.set(name, (typeof name === 'string' ? wrap(name, method) : undefined) ?? method);
      }
      return wrapped.get(name);
    },
  });
};
