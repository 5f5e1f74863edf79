/**
 * @grpc/grpc-js: one bidirectional call that lives as long as the link, its messages bytes as they are (no
 * protobuf). A unary call for each ping, as gRPC is mostly used, would cost it several times more.
 */
import { Buffer } from 'node:buffer';
import { Client, credentials, type Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import type { LinkEnds, LinkHandler } from '../../src/cli/bench/link.ts';
import { linkPeer } from '../peer.ts';

export const peers = [
  linkPeer(
    {
      name: 'grpc-js',
      title: '@grpc/grpc-js, one bidirectional stream',
      order: 33,
      scenarios: ['stream', 'requests', 'gc'],
      does: 'HTTP/2 with flow control; no CRC, no acks, no protobuf',
    },
    import.meta.url,
  ),
];

const headBytes = 2;
const path = '/msgr2.Bench/Link';
const channelOptions = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
const asBytes = (bytes: Buffer): Buffer => bytes;

/** Both a client's and a server's end of a call. */
interface Call {
  write(message: Buffer): boolean;
  on(event: 'data', listener: (message: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'drain' | 'end', listener: () => void): unknown;
}

class GrpcLink {
  readonly #call: Call;
  onDrain: () => void = () => {};

  constructor(call: Call, handler: LinkHandler<GrpcLink>) {
    this.#call = call;
    call.on('data', (message) => handler(message.readUInt16LE(0), message.subarray(headBytes), this));
    call.on('drain', () => this.onDrain());
    // Its end, in gRPC's words.
    call.on('error', () => {});
  }

  send(type: number, payload: Uint8Array): boolean {
    const message = Buffer.allocUnsafe(headBytes + payload.length);
    message.writeUInt16LE(type, 0);
    message.set(payload, headBytes);
    return this.#call.write(message);
  }
}

class GrpcEnds implements LinkEnds<GrpcLink> {
  #server: Server | undefined;
  #client: Client | undefined;

  listen(handler: LinkHandler<GrpcLink>): Promise<string> {
    const server = new Server(channelOptions);
    this.#server = server;
    server.addService(
      {
        link: {
          path,
          requestStream: true,
          responseStream: true,
          requestSerialize: asBytes,
          requestDeserialize: asBytes,
          responseSerialize: asBytes,
          responseDeserialize: asBytes,
        },
      },
      { link: (call: unknown) => void new GrpcLink(call as Call, handler) },
    );
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error !== null) reject(error);
        else resolve(`127.0.0.1:${port}`);
      });
    });
  }

  connect(address: string, handler: LinkHandler<GrpcLink>): Promise<GrpcLink> {
    const client = new Client(address, credentials.createInsecure(), channelOptions);
    this.#client = client;
    return new Promise((resolve, reject) => {
      client.waitForReady(Date.now() + 10_000, (error) => {
        if (error) {
          reject(error);
          return;
        }
        const call = client.makeBidiStreamRequest(path, asBytes, asBytes, undefined as unknown as Metadata);
        resolve(new GrpcLink(call as unknown as Call, handler));
      });
    });
  }

  send(link: GrpcLink, type: number, payload: Uint8Array): boolean {
    return link.send(type, payload);
  }

  onDrain(link: GrpcLink, listener: () => void): void {
    link.onDrain = listener;
  }

  async close(): Promise<void> {
    this.#client?.close();
    this.#server?.forceShutdown();
  }
}

export function makeEnds(): LinkEnds<GrpcLink> {
  return new GrpcEnds();
}
