/** Two handshake machines without a network: what the one sends is what the other reads. */
import type { AuthOutcome } from '../../src/auth/auth.ts';
import type { Handshake, HandshakeAction } from '../../src/protocol/handshake.ts';
import { assembleControlFrame } from '../../src/wire/frame.ts';

const preambleBytes = 32;

/** One end: a machine and the bytes it has sent and not yet had read. */
export class End {
  readonly machine: Handshake;
  readonly sent: Buffer[] = [];
  outcome: AuthOutcome | undefined;
  #expected: 'frame' | number = 0;
  #inbox = Buffer.alloc(0);

  constructor(machine: Handshake) {
    this.machine = machine;
  }

  run(actions: HandshakeAction[]): void {
    for (const action of actions) {
      if (action.kind === 'sendBytes') this.sent.push(Buffer.from(action.bytes));
      else if (action.kind === 'sendControl')
        this.sent.push(assembleControlFrame(action.tag, action.payload));
      else if (action.kind === 'expectBytes') this.#expected = action.count;
      else if (action.kind === 'expectFrame') this.#expected = 'frame';
      else if (action.kind === 'authenticated') this.outcome = action.outcome;
    }
  }

  receive(bytes: Buffer): void {
    this.#inbox = Buffer.concat([this.#inbox, bytes]);
    for (;;) {
      const size = this.#nextSize();
      if (this.outcome !== undefined || size === 0 || this.#inbox.byteLength < size) return;
      const raw = this.#inbox.subarray(0, size);
      this.#inbox = this.#inbox.subarray(size);
      if (this.#expected !== 'frame') this.run(this.machine.bytes(raw));
      else this.run(this.machine.frame(raw[0]!, raw.subarray(preambleBytes, size - 4), raw));
    }
  }

  #nextSize(): number {
    if (this.#expected !== 'frame') return this.#expected;
    if (this.#inbox.byteLength < preambleBytes) return preambleBytes;
    const length = this.#inbox.readUInt32LE(2);
    return preambleBytes + (length === 0 ? 0 : length + 4);
  }
}

/** Carries bytes both ways until nothing moves; `alter` may change what goes from whom. */
export function converse(
  connector: End,
  acceptor: End,
  alter: (from: 'connector' | 'acceptor', bytes: Buffer, index: number) => Buffer = (_from, bytes) => bytes,
): void {
  connector.run(connector.machine.start());
  acceptor.run(acceptor.machine.start());
  let index = 0;
  while (connector.sent.length + acceptor.sent.length > 0) {
    const fromConnector = connector.sent.splice(0);
    const fromAcceptor = acceptor.sent.splice(0);
    for (const bytes of fromConnector) acceptor.receive(alter('connector', bytes, index++));
    for (const bytes of fromAcceptor) connector.receive(alter('acceptor', bytes, index++));
  }
}
