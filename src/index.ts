/** The public exports of msgr2, nothing else. What is not here may change without notice. */

// Authentication.
export { type AuthFacts, type AuthProvider, type AuthSession, ConnectionMode } from './auth/auth.ts';
export { CryptoKey } from './auth/cephx/crypto-key.ts';
export type { KeyServer } from './auth/cephx/key-server.ts';
export { KeyType } from './auth/cephx/key-type.ts';
export { MemoryKeyServer } from './auth/cephx/memory-key-server.ts';
export { MonAuth, type MonAuthInit } from './auth/cephx/mon-auth.ts';
export type { ServiceAuthInit } from './auth/cephx/service-auth.ts';
export { CephxSession, type CephxSessionInit } from './auth/cephx/session.ts';
export { type AuthSnapshot, SnapshotAuth } from './auth/cephx/snapshot.ts';
export { type EntityAuth, Keyring } from './auth/keyring.ts';
export { authNone, noneSession } from './auth/none.ts';
export { authSharedKey, type SharedKeyOptions } from './auth/shared-key.ts';
// The configuration of a cluster's entities.
export { CephConfig, type CephConfigInit, type CephConfigLoad } from './config/ceph-config.ts';
export { ConfFile } from './config/conf-file.ts';
// Messengers, connections, messages.
export { ErrorCode, MsgrError, type MsgrErrorDetails } from './errors.ts';
export type {
  Connection,
  ConnectionCounters,
  ConnectionEvents,
  ConnectionState,
} from './messenger/connection.ts';
export type { AcceptFailedEvent, ConnectionStateEvent } from './messenger/diagnostics.ts';
export type { DispatchLimits } from './messenger/dispatch-queue.ts';
export type { Dispatcher } from './messenger/dispatcher.ts';
export { Message, type MessageInit, Priority, ReceivedMessage } from './messenger/message.ts';
export {
  type ConnectOptions,
  type Destination,
  Messenger,
  type MessengerCounters,
  type MessengerInit,
} from './messenger/messenger.ts';
export { type PrometheusOptions, prometheusContentType, prometheusText } from './messenger/metrics.ts';
export { Policy, type PolicyOptions } from './messenger/policy.ts';
export type { RequestOptions } from './messenger/requests.ts';
export { Throttle, type ThrottleOptions } from './messenger/throttle.ts';
export type { TransportName } from './messenger/transports.ts';
export {
  WorkerDispatcher,
  type WorkerDispatcherCounters,
  type WorkerDispatcherOptions,
} from './messenger/workers/worker-dispatcher.ts';
export type {
  WorkerContext,
  WorkerHandler,
  WorkerMessage,
  WorkerReply,
} from './messenger/workers/worker-message.ts';
// The monitors of a cluster.
export type { ClusterLogLevel } from './mon/client/cluster-log.ts';
export { MonCommandError } from './mon/client/command-error.ts';
export {
  type MonCommand,
  type MonCommandOptions,
  type MonCommandResult,
  MonFloat,
} from './mon/client/commands.ts';
export type { MonClientInit } from './mon/client/init.ts';
export { MonClient, type MonClientEvents } from './mon/client/mon-client.ts';
export { type LookupHost, type MonHost, parseMonHost } from './mon/client/mon-host.ts';
export type { Monitor as KnownMonitor } from './mon/client/monitors.ts';
export type { OsdMapUpdate } from './mon/client/osd-map-reader.ts';
export type { OsdMapsOptions } from './mon/client/osd-maps.ts';
export type { MapVersions } from './mon/client/versions.ts';
// A monitor in the box.
export { Monitor } from './mon/server/monitor.ts';
export type { MonitorInit } from './mon/server/monitor-init.ts';
export { nativeAvailable } from './native.ts';
export { type OptionName, type Options, optionTable, resolveOptions } from './options.ts';
export type { SocketAddress, SocketOptions } from './transport/socket.ts';
// Message types: your own, and Ceph's.
export { Decoder } from './wire/decoder.ts';
export { Encoder } from './wire/encoder.ts';
// Names and addresses.
export { AddrType, EntityAddr, type EntityAddrInit } from './wire/entity-addr.ts';
export { EntityAddrVec } from './wire/entity-addrvec.ts';
export { EntityAuthName, EntityName, EntityType, entityTypeName } from './wire/entity-name.ts';
export { cephMessages } from './wire/messages/ceph-messages.ts';
export { MOSDPing, OSDPingOp, osdPingPadding } from './wire/messages/m-osd-ping.ts';
export { MPing } from './wire/messages/m-ping.ts';
export {
  type DecodeContext,
  defineMessage,
  type EncodeContext,
  type EncodedMessage,
  type MessageDefinition,
  type MessagePayload,
  MessageRegistry,
  type MessageType,
} from './wire/messages/registry.ts';
export type { Signedspan, Utime } from './wire/utime.ts';
export { Uuid } from './wire/uuid.ts';
