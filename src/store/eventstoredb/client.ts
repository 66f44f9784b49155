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
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Clock } from '../../ports/clock.ts';
import type { Appended, ExpectedRevision, Position, StoredEvent, StoreFailure } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import { createFeeder } from './feeder.ts';
import { createProjections, type Projections } from './projections.ts';
import { broken, collect, isMissing, stored } from './reading.ts';
import { type EventStoreDb, type EventStoreDbOptions, openStore } from './store.ts';
import {
  type Follower,
  identityStream,
  type Page,
  parsePosition,
  positionOf,
  type Wire,
  type WireEvent,
} from './wire.ts';

/**
 * The only importer of `@eventstore/db-client`.
 *
 * Reads, subscriptions, discovery, TLS and reconnecting are the client's. Appends go over the same BatchAppend call as its
 * `appendToStream`, but the pending ones are kept here: the client's table of them is shared by all clients of the process,
 * a break of the stream can end the process, and the first append is overtaken (docs/decisions/0005).
 */

interface Pending {
  readonly resolve: (appended: Appended) => void;
  readonly reject: (cause: unknown) => void;
}

interface Batch {
  readonly write: (request: InstanceType<typeof streams.BatchAppendReq>) => void;
  readonly pending: Map<string, Pending>;
  readonly cancel: () => void;
}

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

/** @param onBroken the batch stream has ended; everything on it has been rejected */
const openBatch = async (client: Client, onBroken: (cause: unknown) => void): Promise<Batch> => {
  const stream = await client.openBatchStream();
  const pending = new Map<string, Pending>();
  const end = (cause: unknown): void => {
    onBroken(cause);
    const rejected = [...pending.values()];
    pending.clear();
    for (const { reject } of rejected) reject(cause);
  };
  stream.on('data', (response) => {
    const id = response.getCorrelationId()?.getString() ?? '';
    const waiting = pending.get(id);
    if (waiting === undefined) return; // Its deadline has passed; it is settled by reading.
    pending.delete(id);
    const error = response.getError();
    const success = response.getSuccess();
    if (error !== undefined) waiting.reject(unpackError.unpackToCommandError(error, ''));
    else if (success !== undefined) {
      const position = success.getPosition();
      waiting.resolve({
        revision: BigInt(success.getCurrentRevision()),
        position: positionOf(
          BigInt(position?.getCommitPosition() ?? '0'),
          BigInt(position?.getPreparePosition() ?? '0'),
        ),
      });
    } else waiting.reject(new Error('an append was answered with neither success nor error'));
  });
  stream.on('error', end);
  stream.on('end', () => end(broken('the server ended the stream of appends')));
  return { pending, write: (request) => stream.write(request), cancel: () => stream.cancel() };
};

const requestOf = (
  correlationId: string,
  stream: string,
  expected: ExpectedRevision,
  events: readonly WireEvent[],
): InstanceType<typeof streams.BatchAppendReq> => {
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

interface WireOptions {
  /** Connection string as the client takes it, `esdb://` or `esdb+discover://`. */
  readonly url: string;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'uuid'>;
  /** Milliseconds until a page that was asked for is given up. */
  readonly readMs: number;
  /** The stream of appends has ended. */
  readonly onBroken: (cause: unknown) => void;
}

/** Opens a client. Throws where the connection string cannot be read; connects with the first call. */
const openWire = ({ url, clock, ids, readMs, onBroken }: WireOptions): Wire => {
  const client = Client.open(url);
  const followers = new Set<() => void>();
  let batch: Promise<Batch> | undefined;
  let disposed = false;

  const readStream = (stream: string, { from, direction, count }: Page, ms: number): Promise<readonly StoredEvent[]> =>
    collect(
      client.readStream(stream, {
        fromRevision: from === 'start' ? START : from === 'end' ? END : from,
        direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
        maxCount: count,
        requiresLeader: true,
      }),
      clock,
      ms,
    ).catch((cause: unknown) => {
      if (isMissing(cause)) return [];
      throw cause;
    });

  const batchOf = (): Promise<Batch> => {
    if (batch !== undefined) return batch;
    const opening = openBatch(client, (cause) => {
      if (batch === opening) batch = undefined;
      if (!disposed) onBroken(cause);
    });
    batch = opening;
    opening.catch(() => {
      if (batch === opening) batch = undefined;
    });
    return opening;
  };

  const follow = (after: Position | undefined, follower: Follower): { readonly stop: () => void } => {
    const subscription = client.subscribeToAll(
      {
        fromPosition: after === undefined ? START : parsePosition(after),
        // At the defaults an empty stretch of the log calls back 76,000 times in 2.4 M entries.
        filter: streamNameFilter({ prefixes: ['room-'], maxSearchWindow: 1000, checkpointInterval: 100 }),
      },
      { highWaterMark: 256 },
    );
    const feeder = createFeeder(
      {
        pause: () => subscription.pause(),
        resume: () => subscription.resume(),
        waiting: () => subscription.readableLength,
      },
      {
        ...follower,
        onEnd: (why, cause) => {
          leave();
          follower.onEnd(why, cause);
        },
      },
    );
    const leave = (): void => {
      followers.delete(cut);
      // Rejects only where the call never came about; then there is nothing to end.
      subscription.unsubscribe().catch(() => {});
    };
    const cut = (): void => feeder.lost(broken('the connection to EventStoreDB is given up'));
    followers.add(cut);
    subscription.on('data', ({ event }: AllStreamResolvedEvent) => {
      if (event !== undefined) feeder.event(stored(event));
    });
    subscription.on('caughtUp', feeder.caughtUp);
    // Stays on for ever: an error after the end must not become an uncaught one.
    subscription.on('error', feeder.lost);
    subscription.on('end', () => feeder.lost(broken('the server ended the subscription')));
    subscription.on('close', () => feeder.lost(broken('the subscription was closed')));
    return {
      stop: () => {
        feeder.stop();
        leave();
      },
    };
  };

  return {
    version: () => client.serverVersion(),
    probe: async (ms) => {
      await readStream(identityStream, { from: 'start', direction: 'forwards', count: 1 }, ms);
    },
    append: async (stream, expected, events) => {
      // Always by way of the promise: whoever came first writes first.
      const { pending, write } = await batchOf();
      const correlationId = ids.uuid();
      return new Promise((resolve, reject) => {
        pending.set(correlationId, { resolve, reject });
        write(requestOf(correlationId, stream, expected, events));
      });
    },
    readStream: (stream, page) => readStream(stream, page, readMs),
    readBackwards: (before, count) =>
      collect(
        client.readAll({
          fromPosition: before === undefined ? END : parsePosition(before),
          direction: BACKWARDS,
          maxCount: count,
        }),
        clock,
        readMs,
      ),
    follow,
    dispose: async () => {
      disposed = true;
      for (const cut of [...followers]) cut();
      // One that is just being opened would outlive `dispose`, and keep the process alive.
      batch?.then(({ cancel }) => cancel()).catch(() => {});
      await client.close();
    },
  };
};

/**
 * Opens the log on EventStoreDB: waits for a server that cannot be reached yet, and refuses one that is too old, is something
 * else, does not let the user in, or needs another `tls=`. `StoreRefused`: trying again changes nothing.
 */
export const openEventStoreDb = (options: EventStoreDbOptions): TaskEither<StoreFailure, EventStoreDb> =>
  openStore(options, openWire);

/** The projections of the server at `url`, which is a connection string as `connectionString` makes it. */
export const openProjections = (url: string, clock: Clock): Projections => {
  const client = Client.open(url);
  return createProjections(
    {
      create: (name, query, emitEnabled) => client.createProjection(name, query, { emitEnabled }),
      update: (name, query, emitEnabled) => client.updateProjection(name, query, { emitEnabled }),
      enable: (name) => client.enableProjection(name),
      disable: (name) => client.disableProjection(name),
      reset: (name) => client.resetProjection(name),
      remove: (name) => client.deleteProjection(name, { deleteStateStream: true, deleteCheckpointStream: true }),
      status: async (name) => {
        const found = await client.getProjectionStatus(name);
        if (found === undefined) return undefined;
        return {
          name,
          status: found.status,
          reason: found.stateReason,
          position: found.position,
          progress: found.progress,
        };
      },
      state: (name, partition) => client.getProjectionState(name, { partition }),
      result: (name, partition) => client.getProjectionResult(name, { partition }),
      close: () => client.close(),
    },
    clock,
  );
};
