/** The code that the client ships, generated from EventStoreDB's .proto files: CommonJS, so its names come by the default import. */

import gossipService from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import projectionsService from '@eventstore/db-client/generated/projections_grpc_pb.js';
import projections from '@eventstore/db-client/generated/projections_pb.js';
import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import status from '@eventstore/db-client/generated/status_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import struct from 'google-protobuf/google/protobuf/struct_pb.js';

export {
  any,
  features,
  featuresService,
  gossip,
  gossipService,
  projections,
  projectionsService,
  shared,
  status,
  streams,
  streamsService,
  struct,
};
