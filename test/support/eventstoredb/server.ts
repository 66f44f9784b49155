import { randomUUID } from 'node:crypto';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { atEnd } from '../at-end.ts';
import { appendOne, batchAppend } from './appends.ts';
import { createDoor } from './door.ts';
import { accessDenied, callError, notReady } from './errors.ts';
import { features, featuresService, gossip, gossipService, shared, streamsService } from './generated.ts';
import { createLog, type MemoryLog } from './log.ts';
import { read } from './reads.ts';
import type { NodeState } from './state.ts';

/**
 * A test double of EventStoreDB 24.10: speaks its gRPC (streams, server features, gossip, projections), keeps its log in
 * memory, and does on command what goes wrong with real ones. `shared/spec`'s facts page says what it was seen to do.
 */
export interface EventStoreDouble {
  readonly log: MemoryLog;
  /** What belongs into a connection string: `127.0.0.1:PORT`. The port stays the same through `kill` and `start`. */
  readonly address: string;
  /** `esdb://...?tls=false`, or with TLS and the credentials. */
  readonly url: string;
  readonly counted: NodeState['counted'];
  readonly open: () => number;
  readonly mostOpen: () => number;
  /** Keeps appends that come from now on without executing them. */
  readonly hold: () => void;
  /** Executes and answers what was held, in order. */
  readonly release: () => void;
  /** Resolves when this many appends are held. */
  readonly held: (count: number) => Promise<void>;
  /** SIGKILL: connections break; of the held appends the first `written` are in the log, none is answered. */
  readonly kill: (options?: { readonly written?: number }) => void;
  /** Listens again on the same port, with the log as it is. */
  readonly start: () => Promise<void>;
  /** SIGSTOP: takes connections and bytes, and does nothing. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** Connections that are open at the moment. */
  readonly connections: () => number;
  readonly notReady: (on: boolean) => void;
  /** SIGTERM: appends run into timeouts, then streams break; resolves when it is down. */
  readonly drain: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** The gRPC server without the relay before it: for measurements. */
  readonly direct: string;
  /** For `startCluster` and other parts of the double. */
  readonly node: NodeState;
}

export interface DoubleOptions {
  readonly log?: MemoryLog;
  readonly version?: string;
  /** Without it calls are taken from everybody over plain text. */
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer; readonly user: string; readonly password: string };
  /** Answers UNIMPLEMENTED when asked what it supports: something that speaks gRPC and is no EventStoreDB. */
  readonly withoutFeatures?: boolean;
  /** Adds further services: projections. */
  readonly extend?: (server: Server, node: NodeState) => void;
}

const supported = (version: string): SupportedMethods => {
  const method = (name: string, service: string) =>
    new features.SupportedMethod().setMethodName(name).setServiceName(service);
  return new features.SupportedMethods()
    .setEventStoreServerVersion(version)
    .setMethodsList([
      method('batchappend', 'event_store.client.streams.streams'),
      method('append', 'event_store.client.streams.streams'),
      method('read', 'event_store.client.streams.streams'),
    ]);
};

const gossipOf = (node: NodeState): ClusterInfo => {
  const { FOLLOWER, LEADER } = gossip.MemberInfo.VNodeState;
  const members = node.cluster.map((member) =>
    new gossip.MemberInfo()
      .setInstanceId(new shared.UUID().setString(randomUUID()))
      .setTimeStamp(String(Date.now()))
      .setState(member.role === 'leader' ? LEADER : FOLLOWER)
      .setIsAlive(member.up)
      .setHttpEndPoint(new gossip.EndPoint().setAddress('127.0.0.1').setPort(member.port)),
  );
  return new gossip.ClusterInfo().setMembersList(members);
};

const build = (node: NodeState, options: DoubleOptions): Server => {
  const server = new Server({ 'grpc-node.flow_control_window': 1024 * 1024 });
  const wanted =
    node.credentials === undefined ? undefined : `Basic ${Buffer.from(node.credentials).toString('base64')}`;
  const allowed = (call: { readonly metadata: { get: (name: string) => unknown[] } }): boolean =>
    wanted === undefined || call.metadata.get('authorization')[0] === wanted;
  server.addService(streamsService.StreamsService, {
    read: (call: Parameters<typeof read>[1]) => {
      if (allowed(call)) void read(node, call);
      else call.emit('error', accessDenied());
    },
    batchAppend: (call: Parameters<typeof batchAppend>[1]) => {
      if (allowed(call)) batchAppend(node, call);
      else call.emit('error', accessDenied());
    },
    append: (call: Parameters<typeof appendOne>[1], answer: Parameters<typeof appendOne>[2]) => {
      if (allowed(call)) appendOne(node, call, answer);
      else answer(accessDenied());
    },
    delete: (_call: unknown, answer: (error: Error) => void) => answer(callError(12, 'not in the double')),
    tombstone: (_call: unknown, answer: (error: Error) => void) => answer(callError(12, 'not in the double')),
  });
  server.addService(gossipService.GossipService, {
    read: (_call: ServerUnaryCall<unknown, ClusterInfo>, answer: sendUnaryData<ClusterInfo>) => {
      answer(null, gossipOf(node));
    },
  });
  if (options.withoutFeatures !== true) {
    server.addService(featuresService.ServerFeaturesService, {
      getSupportedMethods: (_call: unknown, answer: sendUnaryData<SupportedMethods>) => {
        if (node.health === 'draining') answer(notReady());
        else answer(null, supported(node.version));
      },
    });
  }
  options.extend?.(server, node);
  return server;
};

const listen = (server: Server, port: number, credentials: ServerCredentials): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });

/** Starts a double on a free port of the loopback. End it with `stop`. */
export const startDouble = async (options: DoubleOptions = {}): Promise<EventStoreDouble> => {
  const log = options.log ?? createLog();
  const { tls } = options;
  const node: NodeState = {
    log,
    port: 0,
    up: true,
    health: 'ready',
    held: undefined,
    onHeld: () => {},
    open: 0,
    mostOpen: 0,
    counted: { appends: 0, batchStreams: 0, reads: 0, subscriptions: 0, overlapping: 0 },
    credentials: tls === undefined ? undefined : `${tls.user}:${tls.password}`,
    version: options.version ?? '24.10.0',
    cluster: [],
    role: 'leader',
  };
  node.cluster = [node];
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.cert }]);
  const server = build(node, options);
  const inner = await listen(server, 0, credentials);
  const door = await createDoor(inner);
  node.port = door.port;
  const down = () => {
    door.slam();
    node.up = false;
    node.held = undefined;
    log.forgetIds();
  };
  const stop = (): void => {
    down();
    server.forceShutdown();
  };
  atEnd(stop);
  return {
    log,
    address: `127.0.0.1:${node.port}`,
    url:
      tls === undefined
        ? `esdb://127.0.0.1:${node.port}?tls=false`
        : `esdb://${tls.user}:${tls.password}@127.0.0.1:${node.port}`,
    direct: `127.0.0.1:${inner}`,
    counted: node.counted,
    open: () => node.open,
    mostOpen: () => node.mostOpen,
    hold: () => {
      node.held ??= [];
    },
    release: () => {
      const held = node.held ?? [];
      node.held = undefined;
      for (const act of held) act();
    },
    held: (count) =>
      new Promise((resolve) => {
        const check = () => {
          if ((node.held?.length ?? 0) >= count) resolve();
        };
        node.onHeld = check;
        check();
      }),
    kill: ({ written = 0 } = {}) => {
      const held = node.held ?? [];
      door.slam();
      for (const act of held.slice(0, written)) act();
      down();
    },
    start: async () => {
      node.health = 'ready';
      node.up = true;
      await door.open();
    },
    freeze: door.freeze,
    thaw: door.thaw,
    connections: door.connections,
    notReady: (on) => {
      node.health = on ? 'not-ready' : 'ready';
    },
    drain: async () => {
      node.health = 'draining';
      const held = node.held ?? [];
      node.held = undefined;
      for (const act of held) act();
      await new Promise((resolve) => setTimeout(resolve, 50));
      down();
    },
    stop: async () => stop(),
    node,
  };
};

/** Three servers on one log, as a cluster: the first is the leader, all gossip, followers pass appends on. */
export const startCluster = async (): Promise<{
  readonly url: string;
  readonly servers: readonly EventStoreDouble[];
  /** Kills the leader; the others answer Not Ready until the election ends, `electionMs` later. */
  readonly changeLeader: (electionMs: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}> => {
  const log = createLog();
  const servers = [await startDouble({ log }), await startDouble({ log }), await startDouble({ log })];
  const nodes = servers.map(({ node }) => node);
  nodes.forEach((node, i) => {
    node.cluster = nodes;
    node.role = i === 0 ? 'leader' : 'follower';
  });
  return {
    url: `esdb://${servers.map(({ address }) => address).join(',')}?tls=false&maxDiscoverAttempts=2&discoveryInterval=20`,
    servers,
    changeLeader: async (electionMs) => {
      const old = nodes.find(({ role }) => role === 'leader');
      if (old === undefined) return;
      old.role = 'follower';
      servers[nodes.indexOf(old)]?.kill();
      const living = nodes.filter(({ up }) => up);
      for (const node of living) node.health = 'not-ready';
      await new Promise((resolve) => setTimeout(resolve, electionMs));
      for (const node of living) node.health = 'ready';
      const [next] = living;
      if (next !== undefined) next.role = 'leader';
    },
    stop: async () => {
      for (const server of servers) await server.stop();
    },
  };
};
