/** The public exports of msgr2, nothing else. What is not here may change without notice. */

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
export { nativeAvailable } from './native.ts';
export { type OptionName, type Options, optionTable, resolveOptions } from './options.ts';
export type { SocketAddress, SocketOptions } from './transport/socket.ts';
// Message types: your own, and Ceph's.
export { Decoder } from './wire/decoder.ts';
export { Encoder } from './wire/encoder.ts';
// Names and addresses.
export { AddrType, EntityAddr, type EntityAddrInit } from './wire/entity-addr.ts';
export { EntityAddrVec } from './wire/entity-addrvec.ts';
export { EntityName, EntityType, entityTypeName } from './wire/entity-name.ts';
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
