/**
 * AUTH_SIGNATURE: proof that nothing said before was changed on the way: HMAC-SHA256 over every byte
 * received until then, 32 zero bytes when there is no session key. Raw bytes, no length before them.
 */
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export const authSignatureBytes = 32;

export interface AuthSignature {
  /** {@link authSignatureBytes} bytes. */
  readonly signature: Uint8Array;
}

export const authSignatureFrame = defineControlFrame<AuthSignature>({
  tag: Tag.AuthSignature,
  byteLength: authSignatureBytes,
  write(encoder, value) {
    if (value.signature.byteLength !== authSignatureBytes) throw new TypeError('a signature has 32 bytes');
    encoder.raw(value.signature);
  },
  read: (decoder) => ({ signature: decoder.raw(authSignatureBytes, 'signature') }),
});
