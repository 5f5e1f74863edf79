/**
 * One end of "AEAD alone" (aead.ts): seals or opens pieces with AES-128-GCM as fast as one core can, and does
 * nothing else. It counts bytes.
 *
 *      argv: seal | open
 */
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { serveParent } from './lone-process.ts';

/** Large enough that calling the cipher costs little beside its work, small enough to stay in the cache. */
const pieceBytes = 64 * 1024;

const piecesAtOnce = 16;

const algorithm = 'aes-128-gcm';

const piece = process.argv[2] === 'seal' ? sealer() : opener();
serveParent(() => {
  for (let count = 0; count < piecesAtOnce; count++) piece();
  return piecesAtOnce * pieceBytes;
});

function sealer(): () => void {
  const key = createSecretKey(Buffer.alloc(16, 1));
  const nonce = Buffer.alloc(12);
  const plain = Buffer.alloc(pieceBytes, 0x5a);
  return () => {
    nonce.writeBigUInt64LE(nonce.readBigUInt64LE(4) + 1n, 4);
    const cipher = createCipheriv(algorithm, key, nonce);
    cipher.update(plain);
    cipher.final();
    cipher.getAuthTag();
  };
}

/** Opens one and the same piece, as nothing is asked of its nonce. */
function opener(): () => void {
  const key = createSecretKey(Buffer.alloc(16, 1));
  const nonce = Buffer.alloc(12);
  const cipher = createCipheriv(algorithm, key, nonce);
  const sealed = cipher.update(Buffer.alloc(pieceBytes, 0x5a));
  cipher.final();
  const tag = cipher.getAuthTag();
  return () => {
    const decipher = createDecipheriv(algorithm, key, nonce);
    decipher.setAuthTag(tag);
    decipher.update(sealed);
    decipher.final();
  };
}
