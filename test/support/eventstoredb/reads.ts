import { randomUUID } from 'node:crypto';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { callError, notReady, streamDeleted } from './errors.ts';
import { shared, streams } from './generated.ts';
import type { MemoryLog, Recorded } from './log.ts';
import type { NodeState } from './state.ts';

type ReadCall = ServerWritableStream<ReadReq, ReadResp>;
type Options = ReadReq.Options;

const ticksPerMs = 10_000;

const recorded = (event: Recorded): ReadResp.ReadEvent.RecordedEvent => {
  const message = new streams.ReadResp.ReadEvent.RecordedEvent()
    .setId(new shared.UUID().setString(event.id))
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(event.stream)))
    .setStreamRevision(String(event.revision))
    .setCommitPosition(String(event.position))
    .setPreparePosition(String(event.position))
    .setCustomMetadata(event.metadata)
    .setData(event.data);
  const map = message.getMetadataMap();
  map.set('type', event.type);
  map.set('content-type', event.contentType);
  map.set('created', String(event.created * ticksPerMs));
  return message;
};

/** The event that a link points to (`3@room-x`), where links are to be resolved and it is one. */
const targetOf = (log: MemoryLog, event: Recorded): Recorded | undefined => {
  if (event.type !== '$>') return undefined;
  const [revision = '', ...rest] = Buffer.from(event.data).toString('utf8').split('@');
  const stream = log.stream(rest.join('@'));
  return typeof stream === 'string' ? undefined : stream.find((found) => found.revision === Number(revision));
};

const response = (log: MemoryLog, event: Recorded, resolveLinks: boolean): ReadResp => {
  const target = resolveLinks ? targetOf(log, event) : undefined;
  const read = new streams.ReadResp.ReadEvent().setCommitPosition(String(event.position));
  if (target === undefined) read.setEvent(recorded(event));
  else read.setEvent(recorded(target)).setLink(recorded(event));
  return new streams.ReadResp().setEvent(read);
};

/** Which records a filter lets through. */
const filterOf = (options: Options): ((event: Recorded) => boolean) => {
  const filter = options.getFilter();
  if (filter === undefined) return () => true;
  const byStream = filter.getStreamIdentifier();
  const expression = byStream ?? filter.getEventType();
  const subject = (event: Recorded) => (byStream === undefined ? event.type : event.stream);
  const prefixes = expression?.getPrefixList() ?? [];
  if (prefixes.length > 0) return (event) => prefixes.some((prefix) => subject(event).startsWith(prefix));
  const regex = new RegExp(expression?.getRegex() ?? '');
  return (event) => regex.test(subject(event));
};

/** Where a read of the whole log begins, as an index into its records. */
const startOfAll = (log: MemoryLog, options: Options, exclusive: boolean): number => {
  const all = options.getAll();
  const position = all?.getPosition();
  if (all?.hasStart()) return 0;
  if (position === undefined) return log.records.length;
  const index = log.indexOf(Number(position.getCommitPosition()));
  if (index === undefined) throw callError(status.INVALID_ARGUMENT, 'Invalid position.');
  return exclusive ? index + 1 : index;
};

const send = async (call: ReadCall, message: ReadResp): Promise<void> => {
  if (call.cancelled || call.destroyed) return;
  if (call.write(message)) return;
  await new Promise<void>((resolve) => {
    const events = ['drain', 'cancelled', 'close'] as const;
    const go = (): void => {
      for (const event of events) call.off(event, go);
      resolve();
    };
    for (const event of events) call.on(event, go);
  });
};

const readStream = async (node: NodeState, call: ReadCall, options: Options): Promise<void> => {
  const { log } = node;
  const from = options.getStream();
  const name = Buffer.from(from?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8');
  const events = log.stream(name);
  if (events === 'deleted') throw streamDeleted(name);
  if (events === 'missing') {
    const missing = new streams.ReadResp.StreamNotFound().setStreamIdentifier(
      new shared.StreamIdentifier().setStreamName(Buffer.from(name)),
    );
    return send(call, new streams.ReadResp().setStreamNotFound(missing));
  }
  const backwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
  const revision = from?.hasRevision() ? Number(from.getRevision()) : from?.hasEnd() ? Number.MAX_SAFE_INTEGER : 0;
  const wanted = events.filter((event) => (backwards ? event.revision <= revision : event.revision >= revision));
  if (backwards) wanted.reverse();
  for (const event of wanted.slice(0, Number(options.getCount()))) {
    if (call.cancelled) return;
    await send(call, response(log, event, options.getResolveLinks()));
  }
};

const readAll = async (node: NodeState, call: ReadCall, options: Options): Promise<void> => {
  const { log } = node;
  const start = startOfAll(log, options, false);
  const backwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
  const end = log.records.length;
  let left = Number(options.getCount());
  for (let i = backwards ? Math.min(start, end) - 1 : start; left > 0 && i >= 0 && i < end; i += backwards ? -1 : 1) {
    const event = log.records[i];
    if (event === undefined || call.cancelled) return;
    left -= 1;
    await send(call, response(log, event, options.getResolveLinks()));
  }
};

/** To all, filtered: checkpoints while nothing matches, `caughtUp` at the end, then live. Ends with the call or the server. */
const subscribe = async (node: NodeState, call: ReadCall, options: Options): Promise<void> => {
  const { log } = node;
  node.counted.subscriptions += 1;
  const matches = filterOf(options);
  const filter = options.getFilter();
  const every = (filter?.getMax() || 32) * (filter?.getCheckpointintervalmultiplier() || 1);
  let next = startOfAll(log, options, true);
  let wake: () => void = () => {};
  const off = log.onAppended(() => wake());
  const ended = new Promise<void>((resolve) => {
    call.once('cancelled', resolve);
    call.once('close', resolve);
  });
  const confirmation = new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(randomUUID());
  await send(call, new streams.ReadResp().setConfirmation(confirmation));
  let examined = 0;
  let caughtUp = false;
  while (!call.cancelled && !call.destroyed) {
    const event = log.records[next];
    if (event === undefined) {
      if (!caughtUp) await send(call, new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()));
      caughtUp = true;
      if (log.records[next] !== undefined) continue;
      await Promise.race([new Promise<void>((resolve) => (wake = resolve)), ended]);
      continue;
    }
    next += 1;
    examined += 1;
    if (matches(event)) await send(call, response(log, event, options.getResolveLinks()));
    if (filter !== undefined && examined % every === 0) {
      const checkpoint = new streams.ReadResp.Checkpoint()
        .setCommitPosition(String(event.position))
        .setPreparePosition(String(event.position));
      await send(call, new streams.ReadResp().setCheckpoint(checkpoint));
    }
  }
  off();
};

/** Read: a stream, the whole log, or a subscription to it. */
export const read = async (node: NodeState, call: ReadCall): Promise<void> => {
  node.counted.reads += 1;
  node.open += 1;
  node.mostOpen = Math.max(node.mostOpen, node.open);
  call.on('error', () => {});
  try {
    if (node.health !== 'ready') throw notReady();
    const options = call.request.getOptions();
    if (options === undefined) throw callError(status.INVALID_ARGUMENT, 'no options');
    if (options.hasSubscription()) await subscribe(node, call, options);
    else if (options.hasStream()) await readStream(node, call, options);
    else await readAll(node, call, options);
    call.end();
  } catch (error) {
    call.emit('error', error);
  } finally {
    node.open -= 1;
  }
};
