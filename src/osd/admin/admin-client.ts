/** Asks an admin socket, ours or a Ceph daemon's: one command, one answer. */
import { connect } from 'node:net';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { adminAnswerBytesMax, adminCommandTimeoutMs } from '../../limits.ts';

const lengthBytes = 4;

/**
 * The answer's text.
 * @throws MsgrError ERR_MSGR_SOCKET when nobody answers at the path, ERR_MSGR_TIMEOUT, ERR_MSGR_MALFORMED for an
 *   answer that breaks off or is too long.
 */
export async function askAdminSocket(
  path: string,
  command: Readonly<Record<string, unknown>>,
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const socket = connect(path);
  const signal = AbortSignal.timeout(adminCommandTimeoutMs);
  const abort = (): void => void socket.destroy(new Error('timeout'));
  signal.addEventListener('abort', abort);
  try {
    socket.write(`${JSON.stringify(command)}\0`);
    for await (const chunk of socket) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes > adminAnswerBytesMax) break;
    }
  } catch (cause) {
    if (signal.aborted) throw new MsgrError(ErrorCode.Timeout, `the admin socket ${path} does not answer`);
    throw new MsgrError(ErrorCode.Socket, `nobody answers at the admin socket ${path}`, { cause });
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
  const answer = Buffer.concat(chunks);
  const length = answer.byteLength < lengthBytes ? -1 : answer.readUInt32BE(0);
  if (length !== answer.byteLength - lengthBytes) {
    const reason = `the answer of the admin socket ${path} has ${bytes} bytes and states ${length}`;
    throw new MsgrError(ErrorCode.Malformed, reason, { field: 'length', offset: 0 });
  }
  return answer.toString('utf8', lengthBytes);
}
