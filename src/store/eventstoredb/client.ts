import {
  type AllStreamResolvedEvent,
  BACKWARDS,
  END,
  EventStoreDBClient,
  FORWARDS,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import unpackError from '@eventstore/db-client/dist/streams/appendToStream/unpackError.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { Appended, Position, StoredEvent } from '../../ports/event-store.ts';
import { roomPrefix } from '../../room/stream.ts';
import { type BatchAnswer, BatchStream } from './batch-stream.ts';
import { Feeder } from './feeder.ts';
import { broken, collect, isStreamNotFound, stored } from './recorded.ts';
import {
  identityStream,
  parsePosition,
  positionOf,
  type StreamPage,
  type Wire,
  type WireAppend,
  type WireFollower,
  type WireOptions,
} from './wire.ts';

/**
 * The only importer of `@eventstore/db-client`: makes of it the calls that the adapter needs, and those on projections.
 *
 * Reads, subscriptions, discovery, TLS and reconnecting are the client's. Appends go over the same BatchAppend call as its
 * `appendToStream`, but the pending ones are kept here: the client's table of them is shared by all clients of the process,
 * a break of the stream can end the process, and the first append is overtaken (docs/decisions/0005).
 */

type AppendRequest = InstanceType<typeof streams.BatchAppendReq>;
type AppendResponse = InstanceType<typeof streams.BatchAppendResp>;

/** Opens up what the client keeps for its own commands. */
class Client extends EventStoreDBClient {
  /** The client's own factory makes its base class; our prototype only adds the methods below. */
  static open(url: string): Client {
    return Object.setPrototypeOf(EventStoreDBClient.connectionString(url), Client.prototype);
  }

  async serverVersion(): Promise<string> {
    return (await this.capabilities).serverVersion;
  }

  /** A new batch stream, with an unbounded life; its errors make the client reconnect. */
  openBatchStream() {
    return this.GRPCStreamCreator(streamsService.StreamsClient, 'batchAppend', (client) =>
      client.batchAppend(...this.callArguments({ requiresLeader: true }, { deadline: Number.POSITIVE_INFINITY })),
    )();
  }

  async close(): Promise<void> {
    await this.dispose();
    // `dispose` ends the streams and leaves the connection.
    (await this.getChannel()).close();
  }
}

const requestOf = (correlationId: string, { stream, expected, events }: WireAppend): AppendRequest => {
  const { Options, ProposedMessage } = streams.BatchAppendReq;
  const options = new Options().setStreamIdentifier(
    new shared.StreamIdentifier().setStreamName(Buffer.from(stream, 'utf8')),
  );
  // No deadline is sent: it would be a wall clock time, and clocks of two machines differ.
  if (expected === 'no_stream') options.setNoStream(new shared.Empty());
  else options.setStreamPosition(expected.toString());
  const request = new streams.BatchAppendReq()
    .setCorrelationId(new shared.UUID().setString(correlationId))
    .setOptions(options)
    .setIsFinal(true);
  for (const { id, type, data, metadata } of events) {
    const message = new ProposedMessage()
      .setId(new shared.UUID().setString(id))
      .setData(Buffer.from(data, 'utf8'))
      .setCustomMetadata(Buffer.from(metadata, 'utf8'));
    message.getMetadataMap().set('type', type).set('content-type', 'application/json');
    request.addProposedMessages(message);
  }
  return request;
};

const answerOf = (response: AppendResponse): BatchAnswer => {
  const correlationId = response.getCorrelationId()?.getString() ?? '';
  const error = response.getError();
  if (error !== undefined) return { correlationId, result: unpackError.unpackToCommandError(error, '') };
  const success = response.getSuccess();
  if (success === undefined)
    return { correlationId, result: new Error('an append was answered with neither success nor error') };
  const place = success.getPosition();
  const position = positionOf(BigInt(place?.getCommitPosition() ?? '0'), BigInt(place?.getPreparePosition() ?? '0'));
  return { correlationId, result: { revision: BigInt(success.getCurrentRevision()), position } };
};

/** Opens one client. Throws where the connection string cannot be read. */
export const openWire = (options: WireOptions): Wire => new ClientWire(options);

class ClientWire implements Wire {
  readonly #options: WireOptions;
  readonly #client: Client;
  /** Ends one that follows, each. */
  readonly #followers = new Set<() => void>();
  #batch: Promise<BatchStream<AppendRequest, AppendResponse>> | undefined;
  #disposed = false;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#client = Client.open(options.url);
  }

  version(): Promise<string> {
    return this.#client.serverVersion();
  }

  async probe(ms: number): Promise<void> {
    await this.#readStream(identityStream, { from: 'start', direction: 'forwards', count: 1 }, ms);
  }

  async append(append: WireAppend): Promise<Appended> {
    // Always by way of the promise: whoever came first writes first.
    const batch = await this.#batchStream();
    const correlationId = this.#options.ids.uuid();
    return batch.append(correlationId, requestOf(correlationId, append));
  }

  readStream(stream: string, page: StreamPage): Promise<readonly StoredEvent[]> {
    return this.#readStream(stream, page, this.#options.readMs);
  }

  readBackwards(before: Position | undefined, count: number): Promise<readonly StoredEvent[]> {
    const fromPosition = before === undefined ? END : parsePosition(before);
    const page = this.#client.readAll({ fromPosition, direction: BACKWARDS, maxCount: count });
    return collect(page, this.#options.clock, this.#options.readMs);
  }

  follow(after: Position | undefined, follower: WireFollower): { readonly stop: () => void } {
    const subscription = this.#client.subscribeToAll(
      {
        fromPosition: after === undefined ? START : parsePosition(after),
        // At the defaults an empty stretch of the log calls back 76,000 times in 2.4 M entries.
        filter: streamNameFilter({ prefixes: [roomPrefix], maxSearchWindow: 1000, checkpointInterval: 100 }),
      },
      { highWaterMark: 256 },
    );
    const upstream = {
      pause: () => subscription.pause(),
      resume: () => subscription.resume(),
      waiting: () => subscription.readableLength,
    };
    const onEnd: WireFollower['onEnd'] = (why, cause) => {
      leave();
      follower.onEnd(why, cause);
    };
    const feeder = new Feeder(upstream, { ...follower, onEnd });
    const leave = (): void => {
      this.#followers.delete(cut);
      // Rejects only where the call never came about; then there is nothing to end.
      subscription.unsubscribe().catch(() => {});
    };
    const cut = (): void => feeder.lost(broken('the connection to EventStoreDB is given up'));
    this.#followers.add(cut);
    subscription.on('data', ({ event }: AllStreamResolvedEvent) => {
      if (event !== undefined) feeder.event(stored(event));
    });
    subscription.on('caughtUp', () => feeder.caughtUp());
    // Stays on for ever: an error after the end must not become an uncaught one.
    subscription.on('error', (cause) => feeder.lost(cause));
    subscription.on('end', () => feeder.lost(broken('the server ended the subscription')));
    subscription.on('close', () => feeder.lost(broken('the subscription was closed')));
    return {
      stop: () => {
        feeder.stop();
        leave();
      },
    };
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    for (const cut of [...this.#followers]) cut();
    // One that is just being opened would outlive `dispose`, and keep the process alive.
    this.#batch?.then((batch) => batch.cancel()).catch(() => {});
    await this.#client.close();
  }

  async #readStream(
    stream: string,
    { from, direction, count }: StreamPage,
    ms: number,
  ): Promise<readonly StoredEvent[]> {
    const page = this.#client.readStream(stream, {
      fromRevision: from === 'start' ? START : from === 'end' ? END : from,
      direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
      maxCount: count,
      requiresLeader: true,
    });
    try {
      return await collect(page, this.#options.clock, ms);
    } catch (cause) {
      if (isStreamNotFound(cause)) return [];
      throw cause;
    }
  }

  /** The stream of appends; opened when it is first asked for, and again after it has ended. */
  #batchStream(): Promise<BatchStream<AppendRequest, AppendResponse>> {
    if (this.#batch !== undefined) return this.#batch;
    const forget = (): void => {
      if (this.#batch === opening) this.#batch = undefined;
    };
    const onBroken = (cause: unknown): void => {
      forget();
      if (!this.#disposed) this.#options.onBroken(cause);
    };
    const opening = this.#client.openBatchStream().then((calls) => new BatchStream(calls, answerOf, onBroken));
    this.#batch = opening;
    opening.catch(forget);
    return opening;
  }
}

/** The calls on the projections of a server. @param url a connection string, as `connectionString` makes it */
export const openProjectionCalls = (url: string) => {
  const client = Client.open(url);
  return {
    create: (name: string, query: string, emitEnabled: boolean) =>
      client.createProjection(name, query, { emitEnabled }),
    update: (name: string, query: string, emitEnabled: boolean) =>
      client.updateProjection(name, query, { emitEnabled }),
    enable: (name: string) => client.enableProjection(name),
    disable: (name: string) => client.disableProjection(name),
    reset: (name: string) => client.resetProjection(name),
    remove: (name: string) => client.deleteProjection(name, { deleteStateStream: true, deleteCheckpointStream: true }),
    status: async (name: string) => {
      const found = await client.getProjectionStatus(name);
      if (found === undefined) return undefined;
      const { status, stateReason: reason, position, progress } = found;
      return { name, status, reason, position, progress };
    },
    state: (name: string, partition: string): Promise<unknown> => client.getProjectionState(name, { partition }),
    result: (name: string, partition: string): Promise<unknown> => client.getProjectionResult(name, { partition }),
    close: () => client.close(),
  };
};
