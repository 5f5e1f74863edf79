/**
 * The raw bytes of a handshake in each direction, until both sides have signed them.
 *
 * What this side signs is what it *received*; what it checks is a signature over what it *sent*. With no
 * session key (AUTH_NONE) both signatures are 32 zero bytes. Spec: msgr2.rst "AUTH_SIGNATURE".
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const signatureBytes = 32;

export class Transcript {
  #received: Uint8Array[] = [];
  #sent: Uint8Array[] = [];

  /** Copies: the bytes belong to the receive slab. */
  received(bytes: Uint8Array): void {
    this.#received.push(Buffer.from(bytes));
  }

  sent(bytes: Uint8Array): void {
    this.#sent.push(bytes);
  }

  /** 32 bytes over everything received so far. */
  signReceived(sessionKey: Uint8Array | undefined): Buffer {
    return sign(sessionKey, this.#received);
  }

  /** Whether `signature` is over everything sent so far; in constant time. Forgets the transcript. */
  verifySent(sessionKey: Uint8Array | undefined, signature: Uint8Array): boolean {
    const expected = sign(sessionKey, this.#sent);
    this.#received = [];
    this.#sent = [];
    return signature.byteLength === signatureBytes && timingSafeEqual(signature, expected);
  }
}

function sign(sessionKey: Uint8Array | undefined, pieces: Uint8Array[]): Buffer {
  if (sessionKey === undefined) return Buffer.alloc(signatureBytes);
  const hmac = createHmac('sha256', sessionKey);
  for (const piece of pieces) hmac.update(piece);
  return hmac.digest();
}
