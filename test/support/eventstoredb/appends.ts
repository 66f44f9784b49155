import type {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerDuplexStream, type ServerReadableStream, type sendUnaryData, status } from '@grpc/grpc-js';
import { accessDenied, batchError, callError, notReady, streamDeleted } from './errors.ts';
import { shared, streams } from './generated.ts';
import type { Expected, Proposed, Written } from './log.ts';
import type { NodeState } from './state.ts';

/** 1 MiB per append call in total, the server's default. */
const maxAppendSize = 1024 * 1024;

const { STREAM_POSITION, NO_STREAM, ANY } = streams.BatchAppendReq.Options.ExpectedStreamPositionCase;

type ProposedMessage = BatchAppendReq.ProposedMessage | AppendReq.ProposedMessage;

const proposed = (message: ProposedMessage): Proposed => ({
  id: message.getId()?.getString() ?? '',
  type: message.getMetadataMap().get('type') ?? '',
  contentType: message.getMetadataMap().get('content-type') ?? '',
  data: message.getData_asU8(),
  metadata: message.getCustomMetadata_asU8(),
});

const isUuid = (id: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
const sizeOf = (events: readonly Proposed[]): number =>
  events.reduce((sum, { data, metadata, type }) => sum + data.length + metadata.length + type.length, 0);

const name = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

interface Append {
  readonly correlation: string;
  readonly stream: string;
  readonly expected: Expected;
  readonly events: Proposed[];
}

/** Executes one append, or keeps it while appends are held. A killed server executes some of the held ones, and answers none. */
const execute = (
  node: NodeState,
  append: Append,
  answer: (written: Written | 'not-ready' | 'timeout') => void,
): void => {
  node.counted.appends += 1;
  const act = () => {
    if (node.health === 'draining') answer('timeout');
    else if (node.health === 'not-ready' || !node.cluster.some(({ role, up }) => role === 'leader' && up)) {
      answer('not-ready');
    } else answer(node.log.append(append.stream, append.expected, append.events));
  };
  if (node.held === undefined) act();
  else {
    node.held.push(act);
    node.onHeld();
  }
};

const reply = (
  append: Append,
  outcome: Written | 'not-ready' | 'timeout' | 'too-large' | 'denied',
): BatchAppendResp => {
  const response = new streams.BatchAppendResp()
    .setCorrelationId(new shared.UUID().setString(append.correlation))
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(append.stream)));
  if (outcome === 'not-ready') return response.setError(batchError.notReady());
  if (outcome === 'timeout') return response.setError(batchError.timeout());
  if (outcome === 'denied') return response.setError(batchError.accessDenied());
  if (outcome === 'too-large') return response.setError(batchError.tooLarge(maxAppendSize));
  if (outcome.kind === 'deleted') return response.setError(batchError.deleted());
  if (outcome.kind === 'wrong') return response.setError(batchError.wrongVersion(append.expected, outcome.current));
  const position = new shared.AllStreamPosition()
    .setCommitPosition(String(outcome.position))
    .setPreparePosition(String(outcome.position));
  return response.setSuccess(
    new streams.BatchAppendResp.Success().setCurrentRevision(String(outcome.revision)).setPosition(position),
  );
};

/** BatchAppend: many appends over one stream, answered by correlation id. */
export const batchAppend = (node: NodeState, call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>): void => {
  const begun = new Map<string, Append>();
  node.counted.batchStreams += 1;
  const write = (response: BatchAppendResp) => call.writable && call.write(response);
  const take = (request: BatchAppendReq) => {
    const correlation = request.getCorrelationId()?.getString() ?? '';
    const options = request.getOptions();
    if (options !== undefined) {
      const which = options.getExpectedStreamPositionCase();
      const expected: Expected =
        which === STREAM_POSITION
          ? Number(options.getStreamPosition())
          : which === NO_STREAM
            ? 'no_stream'
            : which === ANY
              ? 'any'
              : 'stream_exists';
      const stream = name(options.getStreamIdentifier()?.getStreamName_asU8());
      begun.set(correlation, { correlation, stream, expected, events: [] });
    }
    const append = begun.get(correlation);
    if (append === undefined) return;
    append.events.push(...request.getProposedMessagesList().map(proposed));
    if (!append.events.every(({ id }) => isUuid(id))) {
      // Seen on the real one: the whole stream breaks.
      call.emit('error', callError(status.UNKNOWN, 'Exception was thrown by handler.'));
      return;
    }
    if (sizeOf(append.events) > maxAppendSize) {
      begun.delete(correlation);
      write(reply(append, 'too-large'));
      return;
    }
    if (!request.getIsFinal()) return;
    begun.delete(correlation);
    execute(node, append, (outcome) => write(reply(append, outcome)));
  };
  call.on('data', take);
  call.on('error', () => {});
  call.on('end', () => call.end());
};

/** Append: one call for each, as the client does where credentials are given per call. */
export const appendOne = (
  node: NodeState,
  call: ServerReadableStream<AppendReq, AppendResp>,
  answer: sendUnaryData<AppendResp>,
): void => {
  let append: Append | undefined;
  const { REVISION, NO_STREAM: noStream, ANY: anyRevision } = streams.AppendReq.Options.ExpectedStreamRevisionCase;
  call.on('data', (request: AppendReq) => {
    const options = request.getOptions();
    const message = request.getProposedMessage();
    if (options !== undefined) {
      const which = options.getExpectedStreamRevisionCase();
      const expected: Expected =
        which === REVISION
          ? Number(options.getRevision())
          : which === noStream
            ? 'no_stream'
            : which === anyRevision
              ? 'any'
              : 'stream_exists';
      const stream = name(options.getStreamIdentifier()?.getStreamName_asU8());
      append = { correlation: '', stream, expected, events: [] };
    }
    if (message !== undefined) append?.events.push(proposed(message));
  });
  call.on('end', () => {
    const whole = append;
    if (whole === undefined) return answer(accessDenied());
    execute(node, whole, (outcome) => {
      if (outcome === 'not-ready' || outcome === 'timeout') return answer(notReady());
      if (outcome.kind === 'deleted') return answer(streamDeleted(whole.stream));
      if (outcome.kind === 'wrong') {
        const wrong = new streams.AppendResp.WrongExpectedVersion();
        if (outcome.current === 'no_stream') wrong.setCurrentNoStream(new shared.Empty());
        else wrong.setCurrentRevision(String(outcome.current));
        return answer(null, new streams.AppendResp().setWrongExpectedVersion(wrong));
      }
      const position = new streams.AppendResp.Position()
        .setCommitPosition(String(outcome.position))
        .setPreparePosition(String(outcome.position));
      const success = new streams.AppendResp.Success()
        .setCurrentRevision(String(outcome.revision))
        .setPosition(position);
      answer(null, new streams.AppendResp().setSuccess(success));
    });
  });
};
