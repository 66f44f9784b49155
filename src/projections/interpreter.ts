/**
 * EventStoreDB's projection language, as seen on a real 24.10. One function that refers to nothing outside itself, because its
 * text is what runs inside the sandbox (`projection-sandbox.ts`), in a realm of its own together with the projection.
 */

/** An event as a log has it. */
export interface ProjectionEvent {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  /** JSON texts, as they were written. */
  readonly data: string;
  readonly metadata: string;
}

/** What a projection writes: an event of its own, or a link to one (`$>`, its data is `3@room-x`). */
export interface Emitted {
  readonly stream: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** State and result of one partition; the partition of all that is not partitioned is ''. */
export interface Outcome {
  readonly partition: string;
  readonly state: unknown;
  readonly result: unknown;
}

export interface InterpreterLimits {
  /** Most partitions. */
  readonly partitions: number;
  /** Most characters of one state. */
  readonly state: number;
  /** Most events and links that one event may write. */
  readonly emitted: number;
}

/** What a projection's text says it wants. */
export interface Definition {
  readonly source: { readonly kind: 'all' | 'category' | 'stream'; readonly names: readonly string[] };
  readonly partitioned: boolean;
  readonly outputsState: boolean;
}

export interface Interpreter {
  /** Names that the projection's text finds as globals. */
  readonly globals: Readonly<Record<string, unknown>>;
  /** To be called when the text has run. Throws where it has defined nothing. */
  readonly definition: () => Definition;
  /** Feeds one event; gives what it wrote. Throws what the handler throws. */
  readonly feed: (event: ProjectionEvent) => readonly Emitted[];
  readonly outcomes: () => IterableIterator<Outcome>;
}

type Handler = (state: unknown, event: object) => unknown;

export const createInterpreter = (limits: InterpreterLimits): Interpreter => {
  const parse = JSON.parse;
  const stringify = JSON.stringify;
  let source: { kind: 'all' | 'category' | 'stream'; names: readonly string[] } | undefined;
  let partitionOf: ((event: object) => unknown) | undefined;
  let foreach = false;
  let handlers: Readonly<Record<string, Handler>> | undefined;
  let outputsState = false;
  const steps: { readonly kind: 'transform' | 'filter'; readonly by: (state: unknown) => unknown }[] = [];
  /** States as JSON, as the server keeps them between two events of different partitions. */
  const states = new Map<string, string>();
  let shared: unknown;
  let hasShared = false;
  let current: { partition: string; state: unknown } | undefined;
  let emitted: Emitted[] = [];
  let now: ProjectionEvent | undefined;

  const need = (good: boolean, message: string): void => {
    if (!good) throw new Error(message);
  };
  const textOf = (value: unknown, what: string): string => {
    if (typeof value === 'string' && value !== '') return value;
    throw new Error(`${what} must be a string that is not empty`);
  };
  const functionOf = <F>(value: F, what: string): F => {
    if (typeof value === 'function') return value;
    throw new Error(`${what} takes a function`);
  };

  // ------------------------------------------------------------ the language
  const afterWhen = {
    transformBy: (by: (state: unknown) => unknown) => {
      steps.push({ kind: 'transform', by: functionOf(by, 'transformBy') });
      return afterWhen;
    },
    filterBy: (by: (state: unknown) => unknown) => {
      steps.push({ kind: 'filter', by: functionOf(by, 'filterBy') });
      return afterWhen;
    },
    outputState: () => {
      outputsState = true;
      return afterWhen;
    },
    outputTo: () => {
      outputsState = true;
      return afterWhen;
    },
  };
  const when = (given: Readonly<Record<string, Handler>>) => {
    need(typeof given === 'object' && given !== null, 'when takes an object of handlers');
    for (const name of Object.keys(given)) functionOf(given[name], `the handler ${name}`);
    handlers = given;
    hasShared = typeof given.$initShared === 'function';
    shared = hasShared ? given.$initShared?.(undefined, {}) : undefined;
    return afterWhen;
  };
  const partitioned = {
    when,
    outputState: afterWhen.outputState,
  };
  const selected = {
    when,
    foreachStream: () => {
      foreach = true;
      return partitioned;
    },
    partitionBy: (by: (event: object) => unknown) => {
      partitionOf = functionOf(by, 'partitionBy');
      return partitioned;
    },
    outputState: afterWhen.outputState,
  };
  const from = (kind: 'all' | 'category' | 'stream', names: readonly unknown[]) => {
    need(source === undefined, 'a projection has one source: fromAll, fromCategory, fromStream or fromStreams');
    source = { kind, names: names.map((name) => textOf(name, `the name of a ${kind}`)) };
    return selected;
  };
  const emit = (stream: unknown, type: unknown, data: string, metadata: unknown): void => {
    const cause = now;
    if (cause === undefined) throw new Error('emit and linkTo belong into a handler');
    need(emitted.length < limits.emitted, `one event made the projection write more than ${limits.emitted} events`);
    const { $correlationId } = Object(parse(cause.metadata === '' ? 'null' : cause.metadata)) as {
      $correlationId?: unknown;
    };
    emitted.push({
      stream: textOf(stream, 'the stream to write to'),
      type: textOf(type, 'the type of an event'),
      data,
      metadata: {
        ...(typeof metadata === 'object' ? metadata : {}),
        $causedBy: cause.id,
        ...(typeof $correlationId === 'string' ? { $correlationId } : {}),
      },
    });
  };
  const linkTo = (stream: unknown, event: unknown, metadata?: unknown): void => {
    const { sequenceNumber, streamId } = Object(event) as { sequenceNumber?: unknown; streamId?: unknown };
    need(typeof sequenceNumber === 'number' && typeof streamId === 'string', 'linkTo takes a stream and an event');
    emit(stream, '$>', `${String(sequenceNumber)}@${String(streamId)}`, metadata);
  };

  // --------------------------------------------------------------- the engine
  const initial = (): unknown => {
    const made = handlers?.$init?.(undefined, {});
    return made === undefined ? {} : made;
  };
  /** The state is kept as text between partitions, so what JSON cannot hold is lost at the same places as on the server. */
  const put = (): void => {
    if (current === undefined) return;
    const text = stringify(current.state) ?? 'null';
    need(text.length <= limits.state, `the state of partition '${current.partition}' is longer than ${limits.state}`);
    states.set(current.partition, text);
  };
  const enter = (partition: string, event: object): { partition: string; state: unknown } => {
    if (current?.partition === partition) return current;
    put();
    const known = states.get(partition);
    current = { partition, state: known === undefined ? initial() : parse(known) };
    if (known === undefined) {
      need(states.size < limits.partitions, `the projection has more than ${limits.partitions} partitions`);
      states.set(partition, 'null');
      const made = foreach ? handlers?.$created?.(current.state, event) : undefined;
      if (made !== undefined) current.state = made;
    }
    return current;
  };
  const wanted = (stream: string): boolean => {
    if (source === undefined || source.kind === 'all') return true;
    if (source.kind === 'stream') return source.names.includes(stream);
    return source.names.includes(stream.slice(0, Math.max(0, stream.indexOf('-'))));
  };
  const visible = ({ id, type, stream, revision, data, metadata }: ProjectionEvent): Record<string, unknown> => {
    const body: unknown = parse(data);
    return {
      isJson: true,
      data: body,
      body,
      bodyRaw: data,
      sequenceNumber: revision,
      eventType: type,
      streamId: stream,
      eventId: id,
      category: stream.slice(0, Math.max(0, stream.indexOf('-'))),
      partition: '',
      metadata: metadata === '' ? undefined : parse(metadata),
      metadataRaw: metadata,
      linkMetadata: {},
      linkMetadataRaw: '{}',
    };
  };
  const resultOf = (state: unknown): unknown => {
    let result = state;
    for (const { kind, by } of steps) {
      if (kind === 'transform') result = by(result);
      else if (!by(result)) return null;
      if (result === undefined || result === null) return null;
    }
    return result;
  };

  return {
    globals: {
      fromAll: () => from('all', []),
      fromCategory: (name: unknown) => from('category', [name]),
      fromCategories: (...names: unknown[]) => from('category', names.flat()),
      fromStream: (name: unknown) => from('stream', [name]),
      fromStreams: (...names: unknown[]) => from('stream', names.flat()),
      options: () => undefined,
      log: () => undefined,
      emit: (stream: unknown, type: unknown, body: unknown, metadata?: unknown) =>
        emit(stream, type, stringify(body) ?? 'null', metadata),
      linkTo,
      copyTo: (stream: unknown, _event: unknown, metadata?: unknown) =>
        emit(stream, now?.type, now?.data ?? '', metadata),
      linkStreamTo: (stream: unknown, linked: unknown, metadata?: unknown) =>
        emit(stream, '$@', textOf(linked, 'the stream to link'), metadata),
    },
    definition: () => {
      if (source === undefined) throw new Error('the projection names no source: fromAll, fromCategory, fromStream(s)');
      if (handlers === undefined) throw new Error('the projection has no handlers: when({...})');
      return { source, partitioned: foreach || partitionOf !== undefined, outputsState };
    },
    feed: (event) => {
      if (!wanted(event.stream) || handlers === undefined) return [];
      const own = (name: string): Handler | undefined =>
        Object.hasOwn(handlers ?? {}, name) ? handlers?.[name] : undefined;
      const handler = event.type.startsWith('$') ? own(event.type) : (own(event.type) ?? own('$any'));
      const given = visible(event);
      emitted = [];
      now = event;
      const named = foreach ? event.stream : partitionOf === undefined ? '' : partitionOf(given);
      if (named === undefined || named === null || (partitionOf !== undefined && named === '')) return [];
      given.partition = String(named);
      const place = enter(String(named), given);
      if (handler !== undefined) {
        const returned = handler(hasShared ? [place.state, shared] : place.state, given);
        if (hasShared && Array.isArray(returned)) {
          place.state = returned[0];
          shared = returned[1];
        } else if (returned !== undefined && !hasShared) place.state = returned;
      }
      now = undefined;
      return emitted;
    },
    outcomes: function* () {
      put();
      if (hasShared) yield { partition: '', state: shared, result: resultOf(shared) };
      if (!hasShared && states.size === 0 && !foreach && partitionOf === undefined) {
        const state = initial();
        yield { partition: '', state, result: resultOf(state) };
      }
      for (const [partition, text] of states) {
        const state: unknown = parse(text);
        yield { partition, state, result: resultOf(state) };
      }
    },
  };
};
