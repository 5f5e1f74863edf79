/** A TCP proxy on loopback that keeps every byte of both directions, to look at what is on the wire; or to alter it. */
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import type { SocketAddress } from '../../src/transport/socket.ts';

export interface RecordingProxy {
  readonly address: SocketAddress;
  /** Bytes from the connector and from the acceptor, of all connections in turn. */
  fromConnector(): Buffer;
  fromAcceptor(): Buffer;
  close(): Promise<void>;
}

/**
 * Changes bytes on their way, in place.
 * @param offset of the chunk's first byte in its direction.
 */
export type Alter = (chunk: Buffer, from: 'connector' | 'acceptor', offset: number) => void;

/** `alter` is called for each connection, and what it answers for each chunk before that is recorded. */
export async function recordingProxy(target: SocketAddress, alter?: () => Alter): Promise<RecordingProxy> {
  const fromConnector: Buffer[] = [];
  const fromAcceptor: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connectSocket({ host: target.host, port: target.port, noDelay: true });
    const alterChunk = alter?.();
    const record = (from: Socket, to: Socket, into: Buffer[]): void => {
      const who = from === near ? 'connector' : 'acceptor';
      let offset = 0;
      sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        alterChunk?.(chunk, who, offset);
        offset += chunk.length;
        into.push(chunk);
        if (!to.write(chunk)) from.pause();
      });
      to.on('drain', () => from.resume());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    };
    record(near, far, fromConnector);
    record(far, near, fromAcceptor);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    address: { family: 4, host: '127.0.0.1', port },
    fromConnector: () => Buffer.concat(fromConnector),
    fromAcceptor: () => Buffer.concat(fromAcceptor),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
