/** What `fetch` sends requests through. */
export type Dispatcher = NonNullable<RequestInit['dispatcher']>;

interface Starting {
  abort(reason: Error): void;
}

/** Those that Node keeps connections in for `fetch`, from its first use on. */
const OF_NODE = Symbol.for('undici.globalDispatcher.2');

/**
 * Sends by Node's own connections, and asks once more when one is ready, right before the first byte leaves: a process
 * that is paused while it waits for one goes on there, however late it is.
 * @param refusal why the request must not leave any more; it is then the cause of the error of `fetch`. Null: it may
 * @returns undefined where Node keeps its connections in another way: then it is not asked again
 */
export function askingAgain(refusal: () => Error | null): Dispatcher | undefined {
  if (!Reflect.has(globalThis, OF_NODE)) return undefined;
  const dispatcher: Pick<Dispatcher, 'dispatch'> = {
    dispatch(options, handler) {
      const asking = new Proxy(handler, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== 'function') return value;
          if (name !== 'onRequestStart') return value.bind(target);
          return (controller: Starting, context: unknown) => {
            const reason = refusal();
            if (reason === null) value.call(target, controller, context);
            else controller.abort(reason);
          };
        },
      });
      return (Reflect.get(globalThis, OF_NODE) as Dispatcher).dispatch(options, asking); // it is what called us
    },
  };
  return dispatcher as Dispatcher; // fetch uses no more of it
}
