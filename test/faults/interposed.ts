// Stands between a pass and the outside world, at each of its calls: there it can end as by SIGKILL, or stand still.

/** What happens instead of a call, or before it. Throws for one that never happens; a promise holds up what can wait. */
export type AtCall = (name: string, isAsync: boolean) => Promise<void> | undefined;

type Callable = (...args: readonly unknown[]) => unknown;

/** Results that are outside worlds of their own. */
const WORLDS = new Set(['gitea', 'draft', 'claim', 'lock']);

/** The same deps, with something between them and whoever calls them. */
export function interposed<T extends object>(target: T, atCall: AtCall): T {
  return new Proxy(target, {
    get: (object, property) => {
      const value: unknown = Reflect.get(object, property);
      if (typeof property === 'symbol' || property === 'config') return value;
      if (typeof value === 'function') return called(property, value.bind(object) as Callable, atCall);
      return isWorld(value) ? interposed(value, atCall) : value;
    },
  });
}

function called(name: string, work: Callable, atCall: AtCall): Callable {
  const seen = (result: unknown): unknown =>
    WORLDS.has(name) && isWorld(result) ? interposed(result, atCall) : result;
  return (...args) => {
    // Whether it can be waited for is known when it was called: what is held up is its answer, after all of it was done.
    const before = atCall(name, false);
    if (before) throw new Error('only an answer can be waited for');
    const result = work(...args);
    if (!(result instanceof Promise)) return seen(result);
    return result.then(async (value: unknown) => {
      await atCall(name, true);
      return seen(value);
    });
  };
}

function isWorld(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
