/** `GET /metrics` over HTTP, for Prometheus to scrape. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { prometheusContentType } from '../../prometheus-text.ts';

const requestTimeoutMs = 10_000;

export class MetricsServer implements AsyncDisposable {
  /** `127.0.0.1:9283`, with the port that the system chose for 0. */
  readonly address: string;
  readonly #server: Server;

  private constructor(server: Server) {
    const { address, family, port } = server.address() as AddressInfo;
    this.address = family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
    this.#server = server;
  }

  /**
   * @param address `HOST:PORT`, `[HOST]:PORT`.
   * @throws MsgrError ERR_MSGR_INVALID_ARGUMENT for another form, ERR_MSGR_BIND when the system refuses it.
   */
  static async listen(address: string, scrape: () => Promise<string>): Promise<MetricsServer> {
    const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
    const port = Number(match?.[3]);
    if (match === null || port > 65535) {
      throw new MsgrError(ErrorCode.InvalidArgument, `metrics address ${address} is not HOST:PORT`);
    }
    const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
      const path = request.url?.split('?')[0];
      if (request.method !== 'GET' || path !== '/metrics') {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('the metrics are at /metrics\n');
        return;
      }
      scrape().then(
        (text) => response.writeHead(200, { 'content-type': prometheusContentType }).end(text),
        (error: Error) => response.writeHead(503, { 'content-type': 'text/plain' }).end(`${error.message}\n`),
      );
    });
    server.listen(port, match[1] ?? match[2]);
    try {
      await once(server, 'listening');
    } catch (cause) {
      throw new MsgrError(ErrorCode.Bind, `metrics cannot be served at ${address}`, { cause });
    }
    return new MetricsServer(server);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
