import type { Definition, Emitted, InterpreterLimits, PartitionOutcome, ProjectionEvent } from './projection.ts';

/**
 * EventStoreDB's projection language, as seen on a real 24.10. One class that refers to nothing outside itself, because its text
 * is what runs inside the sandbox (`child.ts`), in a realm of its own together with the projection.
 */

type Handler = (state: unknown, event: object) => unknown;
type SourceKind = Definition['source']['kind'];

/** Runs one projection. The projection's functions are never called on this object, which they would find as `this`. */
export class Interpreter {
  readonly #limits: InterpreterLimits;
  /** As they were before the projection's text could change them. */
  readonly #parse = JSON.parse;
  readonly #stringify = JSON.stringify;

  // What the text has defined.
  #source: Definition['source'] | undefined;
  #foreach = false;
  #partitionOf: ((event: object) => unknown) | undefined;
  #handlers: Readonly<Record<string, Handler>> | undefined;
  readonly #steps: { readonly kind: 'transform' | 'filter'; readonly by: (state: unknown) => unknown }[] = [];
  #outputsState = false;

  // What the events have come to.
  /** States as JSON, as the server keeps them between two events of different partitions. */
  readonly #states = new Map<string, string>();
  #current: { readonly partition: string; state: unknown } | undefined;
  #shared: unknown;
  #hasShared = false;
  /** The event at hand, and what it has made the projection write. */
  #now: ProjectionEvent | undefined;
  #emitted: Emitted[] = [];

  /** Names that the projection's text finds as globals. */
  readonly globals: Readonly<Record<string, unknown>> = {
    fromAll: () => this.#from('all', []),
    fromCategory: (name: unknown) => this.#from('category', [name]),
    fromCategories: (...names: unknown[]) => this.#from('category', names.flat()),
    fromStream: (name: unknown) => this.#from('stream', [name]),
    fromStreams: (...names: unknown[]) => this.#from('stream', names.flat()),
    options: () => undefined,
    log: () => undefined,
    emit: (stream: unknown, type: unknown, body: unknown, metadata?: unknown) =>
      this.#emit(stream, type, this.#stringify(body) ?? 'null', metadata),
    linkTo: (stream: unknown, event: unknown, metadata?: unknown) => this.#linkTo(stream, event, metadata),
    copyTo: (stream: unknown, _event: unknown, metadata?: unknown) =>
      this.#emit(stream, this.#now?.type, this.#now?.data ?? '', metadata),
    linkStreamTo: (stream: unknown, linked: unknown, metadata?: unknown) =>
      this.#emit(stream, '$@', this.#text(linked, 'the stream to link'), metadata),
  };

  constructor(limits: InterpreterLimits) {
    this.#limits = limits;
  }

  /** To be called when the text has run. Throws where it has defined nothing. */
  definition(): Definition {
    const source = this.#source;
    if (source === undefined) throw new Error('the projection names no source: fromAll, fromCategory, fromStream(s)');
    if (this.#handlers === undefined) throw new Error('the projection has no handlers: when({...})');
    return {
      source,
      partitioned: this.#foreach || this.#partitionOf !== undefined,
      outputsState: this.#outputsState,
    };
  }

  /** Feeds one event; gives what it wrote. Throws what the handler throws. */
  feed(event: ProjectionEvent): readonly Emitted[] {
    if (!this.#isWanted(event.stream) || this.#handlers === undefined) return [];
    const handler = this.#handlerOf(event.type);
    const given = this.#visible(event);
    this.#emitted = [];
    this.#now = event;
    const partitionOf = this.#partitionOf;
    const named = this.#foreach ? event.stream : partitionOf === undefined ? '' : partitionOf(given);
    if (named === undefined || named === null || (partitionOf !== undefined && named === '')) return [];
    given.partition = String(named);
    const place = this.#enter(String(named), given);
    if (handler !== undefined) {
      const returned = handler(this.#hasShared ? [place.state, this.#shared] : place.state, given);
      if (this.#hasShared && Array.isArray(returned)) {
        place.state = returned[0];
        this.#shared = returned[1];
      } else if (returned !== undefined && !this.#hasShared) place.state = returned;
    }
    this.#now = undefined;
    return this.#emitted;
  }

  /** States and results, as they are after the events that were fed. */
  *outcomes(): Generator<PartitionOutcome, void> {
    this.#put();
    if (this.#hasShared) yield { partition: '', state: this.#shared, result: this.#resultOf(this.#shared) };
    if (!this.#hasShared && this.#states.size === 0 && !this.#foreach && this.#partitionOf === undefined) {
      const state = this.#initial();
      yield { partition: '', state, result: this.#resultOf(state) };
    }
    for (const [partition, text] of this.#states) {
      const state: unknown = this.#parse(text);
      yield { partition, state, result: this.#resultOf(state) };
    }
  }

  // ------------------------------------------------------------ the language

  #from(kind: SourceKind, names: readonly unknown[]): object {
    this.#need(
      this.#source === undefined,
      'a projection has one source: fromAll, fromCategory, fromStream or fromStreams',
    );
    this.#source = { kind, names: names.map((name) => this.#text(name, `the name of a ${kind}`)) };
    return this.#chain();
  }

  /** What a text goes on with after its source: partitions, handlers, and what is done with the states. */
  #chain(): object {
    const outputState = (): object => {
      this.#outputsState = true;
      return afterWhen;
    };
    const afterWhen = {
      transformBy: (by: (state: unknown) => unknown) => {
        this.#steps.push({ kind: 'transform', by: this.#function(by, 'transformBy') });
        return afterWhen;
      },
      filterBy: (by: (state: unknown) => unknown) => {
        this.#steps.push({ kind: 'filter', by: this.#function(by, 'filterBy') });
        return afterWhen;
      },
      outputState,
      outputTo: outputState,
    };
    const when = (handlers: Readonly<Record<string, Handler>>) => {
      this.#when(handlers);
      return afterWhen;
    };
    const partitioned = { when, outputState };
    return {
      when,
      foreachStream: () => {
        this.#foreach = true;
        return partitioned;
      },
      partitionBy: (by: (event: object) => unknown) => {
        this.#partitionOf = this.#function(by, 'partitionBy');
        return partitioned;
      },
      outputState,
    };
  }

  #when(handlers: Readonly<Record<string, Handler>>): void {
    this.#need(typeof handlers === 'object' && handlers !== null, 'when takes an object of handlers');
    for (const name of Object.keys(handlers)) this.#function(handlers[name], `the handler ${name}`);
    this.#handlers = handlers;
    this.#hasShared = typeof handlers.$initShared === 'function';
    this.#shared = this.#hasShared ? handlers.$initShared?.(undefined, {}) : undefined;
  }

  #emit(stream: unknown, type: unknown, data: string, metadata: unknown): void {
    const cause = this.#now;
    if (cause === undefined) throw new Error('emit and linkTo belong into a handler');
    const most = this.#limits.emitted;
    this.#need(this.#emitted.length < most, `one event made the projection write more than ${most} events`);
    const { $correlationId } = Object(this.#parse(cause.metadata === '' ? 'null' : cause.metadata)) as {
      $correlationId?: unknown;
    };
    this.#emitted.push({
      stream: this.#text(stream, 'the stream to write to'),
      type: this.#text(type, 'the type of an event'),
      data,
      metadata: {
        ...(typeof metadata === 'object' ? metadata : {}),
        $causedBy: cause.id,
        ...(typeof $correlationId === 'string' ? { $correlationId } : {}),
      },
    });
  }

  #linkTo(stream: unknown, event: unknown, metadata: unknown): void {
    const { sequenceNumber, streamId } = Object(event) as { sequenceNumber?: unknown; streamId?: unknown };
    this.#need(
      typeof sequenceNumber === 'number' && typeof streamId === 'string',
      'linkTo takes a stream and an event',
    );
    this.#emit(stream, '$>', `${String(sequenceNumber)}@${String(streamId)}`, metadata);
  }

  #need(good: boolean, message: string): void {
    if (!good) throw new Error(message);
  }

  #text(value: unknown, what: string): string {
    if (typeof value === 'string' && value !== '') return value;
    throw new Error(`${what} must be a string that is not empty`);
  }

  #function<F>(value: F, what: string): F {
    if (typeof value === 'function') return value;
    throw new Error(`${what} takes a function`);
  }

  // -------------------------------------------------------------- the engine

  #isWanted(stream: string): boolean {
    const source = this.#source;
    if (source === undefined || source.kind === 'all') return true;
    return source.names.includes(source.kind === 'stream' ? stream : this.#categoryOf(stream));
  }

  #handlerOf(type: string): Handler | undefined {
    const handlers = this.#handlers ?? {};
    const own = (name: string): Handler | undefined => (Object.hasOwn(handlers, name) ? handlers[name] : undefined);
    return type.startsWith('$') ? own(type) : (own(type) ?? own('$any'));
  }

  #categoryOf(stream: string): string {
    return stream.slice(0, Math.max(0, stream.indexOf('-')));
  }

  /** The event as handlers see it. */
  #visible({ id, type, stream, revision, data, metadata }: ProjectionEvent): Record<string, unknown> {
    const body: unknown = this.#parse(data);
    return {
      isJson: true,
      data: body,
      body,
      bodyRaw: data,
      sequenceNumber: revision,
      eventType: type,
      streamId: stream,
      eventId: id,
      category: this.#categoryOf(stream),
      partition: '',
      metadata: metadata === '' ? undefined : this.#parse(metadata),
      metadataRaw: metadata,
      linkMetadata: {},
      linkMetadataRaw: '{}',
    };
  }

  #initial(): unknown {
    const made = this.#handlers?.$init?.(undefined, {});
    return made === undefined ? {} : made;
  }

  /** Makes a partition the one at hand; a new one is begun. */
  #enter(partition: string, event: object): { readonly partition: string; state: unknown } {
    if (this.#current?.partition === partition) return this.#current;
    this.#put();
    const known = this.#states.get(partition);
    const current = { partition, state: known === undefined ? this.#initial() : this.#parse(known) };
    this.#current = current;
    if (known !== undefined) return current;
    const most = this.#limits.partitions;
    this.#need(this.#states.size < most, `the projection has more than ${most} partitions`);
    this.#states.set(partition, 'null');
    const made = this.#foreach ? this.#handlers?.$created?.(current.state, event) : undefined;
    if (made !== undefined) current.state = made;
    return current;
  }

  /** The state is kept as text between partitions, so what JSON cannot hold is lost at the same places as on the server. */
  #put(): void {
    if (this.#current === undefined) return;
    const { partition, state } = this.#current;
    const text = this.#stringify(state) ?? 'null';
    const most = this.#limits.state;
    this.#need(text.length <= most, `the state of partition '${partition}' is longer than ${most}`);
    this.#states.set(partition, text);
  }

  #resultOf(state: unknown): unknown {
    let result = state;
    for (const { kind, by } of this.#steps) {
      if (kind === 'transform') result = by(result);
      else if (!by(result)) return null;
      if (result === undefined || result === null) return null;
    }
    return result;
  }
}
