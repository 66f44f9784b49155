import { randomUUID } from 'node:crypto';
import vm from 'node:vm';
import type * as pb from '@eventstore/db-client/generated/projections_pb.js';
import {
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { Interpreter } from '../../../src/projections/interpreter.ts';
import type { PartitionOutcome } from '../../../src/projections/projection.ts';
import { callError } from './errors.ts';
import { projections, projectionsService, struct } from './generated.ts';
import type { Recorded } from './log.ts';
import type { NodeState } from './state.ts';

/** One projection of the double: runs over the double's log whenever somebody asks, as if it had kept up. */
interface Kept {
  query: string;
  readonly emits: boolean;
  running: boolean;
  interpreter: Interpreter | undefined;
  /** Records of the log that were fed. */
  fed: number;
  position: string;
  fault: string;
}

const limits = { partitions: 10_000, state: 1_000_000, emitted: 1_000 };
const unknown = (details: string) => callError(status.UNKNOWN, details);
const missing = () => callError(status.NOT_FOUND, 'NotFound');
const handlerThrew = () => unknown('Exception was thrown by handler.');

const compile = (query: string): Interpreter | undefined => {
  const interpreter = new Interpreter(limits);
  try {
    vm.runInNewContext(query, { ...interpreter.globals });
    interpreter.definition();
    return interpreter;
  } catch {
    return undefined; // Creation succeeds all the same; the status does not.
  }
};

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

const advance = (kept: Kept, node: NodeState): void => {
  const { interpreter } = kept;
  if (!kept.running || kept.fault !== '' || interpreter === undefined) return;
  for (; kept.fed < node.log.records.length; kept.fed += 1) {
    const record: Recorded | undefined = node.log.records[kept.fed];
    if (record === undefined || record.stream.startsWith('$') || record.type.startsWith('$')) continue;
    try {
      const emitted = interpreter.feed({
        id: record.id,
        type: record.type,
        stream: record.stream,
        revision: record.revision,
        data: text(record.data),
        metadata: text(record.metadata),
      });
      kept.position = `${record.stream}: ${record.revision}`;
      if (emitted.length > 0 && !kept.emits)
        throw new Error("'emit' is not allowed by the projection/configuration/mode");
      for (const { stream, type, data, metadata } of emitted) {
        const event = { id: randomUUID(), type, contentType: 'application/json', data: Buffer.from(data) };
        node.log.append(stream, 'any', [{ ...event, metadata: Buffer.from(JSON.stringify(metadata)) }]);
      }
    } catch (error) {
      kept.fault = `The projection subsystem failed to process an event: ${String(error)} at ${record.position}`;
      return;
    }
  }
};

const outcomeOf = (kept: Kept, partition: string): PartitionOutcome | undefined =>
  kept.interpreter === undefined || kept.fault !== ''
    ? undefined
    : [...kept.interpreter.outcomes()].find((outcome) => outcome.partition === partition);

const value = (given: unknown): InstanceType<typeof struct.Value> =>
  struct.Value.fromJavaScript(given === undefined ? {} : (given as Parameters<typeof struct.Value.fromJavaScript>[0]));

/** Adds EventStoreDB's projections to a double: `startDouble({ extend: withProjections })`. */
export const withProjections = (server: Server, node: NodeState): void => {
  const all = new Map<string, Kept>();
  const found = (name: string | undefined): Kept => {
    const kept = all.get(name ?? '');
    if (kept === undefined) throw missing();
    return kept;
  };
  const unary =
    <Q, R>(work: (request: Q) => R | undefined) =>
    (call: ServerUnaryCall<Q, R>, answer: sendUnaryData<R>): void => {
      try {
        const response = work(call.request);
        if (response !== undefined) answer(null, response); // Else it is never answered.
      } catch (error) {
        answer(error instanceof Error ? error : new Error(String(error)));
      }
    };
  server.addService(projectionsService.ProjectionsService, {
    create: unary((request: pb.CreateReq) => {
      const continuous = request.getOptions()?.getContinuous();
      const name = continuous?.getName() ?? '';
      if (all.has(name)) throw unknown('Unexpected result: expected Updated, received Conflict');
      const query = request.getOptions()?.getQuery() ?? '';
      all.set(name, {
        query,
        emits: continuous?.getEmitEnabled() ?? false,
        running: true,
        interpreter: compile(query),
        fed: 0,
        position: '',
        fault: '',
      });
      return new projections.CreateResp();
    }),
    update: unary((request: pb.UpdateReq) => {
      const name = request.getOptions()?.getName() ?? '';
      const old = found(name);
      const query = request.getOptions()?.getQuery() ?? '';
      const emits = request.getOptions()?.getEmitEnabled() ?? false;
      const fed = query === old.query ? old.fed : 0;
      all.set(name, {
        ...old,
        query,
        emits,
        fed,
        interpreter: query === old.query ? old.interpreter : compile(query),
        fault: '',
      });
      return new projections.UpdateResp();
    }),
    delete: unary((request: pb.DeleteReq) => {
      const name = request.getOptions()?.getName() ?? '';
      if (found(name).running) throw unknown('Unexpected result: expected Updated, received OperationFailed');
      all.delete(name);
      return new projections.DeleteResp();
    }),
    enable: unary((request: pb.EnableReq) => {
      found(request.getOptions()?.getName()).running = true;
      return new projections.EnableResp();
    }),
    disable: unary((request: pb.DisableReq) => {
      found(request.getOptions()?.getName()).running = false;
      return new projections.DisableResp();
    }),
    reset: unary((request: pb.ResetReq) => {
      const kept = found(request.getOptions()?.getName());
      kept.interpreter = compile(kept.query);
      kept.fed = 0;
      kept.fault = '';
      return new projections.ResetResp();
    }),
    statistics: (call: ServerWritableStream<pb.StatisticsReq, pb.StatisticsResp>) => {
      call.on('error', () => {});
      const name = call.request.getOptions()?.getName() ?? '';
      const kept = all.get(name);
      if (kept === undefined) return call.emit('error', missing());
      if (kept.interpreter === undefined) return call.emit('error', handlerThrew());
      advance(kept, node);
      const how = kept.fault === '' ? (kept.running ? 'Running' : 'Stopped') : 'Faulted (Enabled)';
      const details = new projections.StatisticsResp.Details()
        .setName(name)
        .setEffectivename(name)
        .setStatus(how)
        .setStatereason(kept.fault)
        .setPosition(kept.position)
        .setProgress(kept.fault === '' ? 100 : 50);
      for (const set of ['setCoreprocessingtime', 'setVersion', 'setEpoch'] as const) details[set]('0');
      details.setEventsprocessedafterrestart(String(kept.fed)).setBufferedevents('0');
      call.write(new projections.StatisticsResp().setDetails(details));
      call.end();
    },
    state: unary((request: pb.StateReq) => {
      const kept = found(request.getOptions()?.getName());
      if (kept.interpreter === undefined) return undefined;
      advance(kept, node);
      const outcome = outcomeOf(kept, request.getOptions()?.getPartition() ?? '');
      return new projections.StateResp().setState(value(outcome?.state));
    }),
    result: unary((request: pb.ResultReq) => {
      const kept = found(request.getOptions()?.getName());
      if (kept.interpreter === undefined) return undefined;
      advance(kept, node);
      const outcome = outcomeOf(kept, request.getOptions()?.getPartition() ?? '');
      return new projections.ResultResp().setResult(value(outcome?.result));
    }),
    restartSubsystem: unary(() => undefined),
  });
};
