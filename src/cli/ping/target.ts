/** The address on the command line of `msgr2 ping`. */
import { MsgrError } from '../../errors.ts';
import type { EntityAddr } from '../../wire/entity-addr.ts';
import { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { CliError } from '../cli-error.ts';

/**
 * Reads `v2:127.0.1.10:6801/1234`, or a whole vector as `ceph osd dump` prints it, of which the v2 address
 * is taken.
 *
 * @throws CliError, also when the nonce is missing: an OSD refuses whoever does not know it.
 */
export function parseTarget(text: string): EntityAddr {
  const addrs = parseAddrs(text);
  const addr = addrs.v2();
  if (addr === undefined) {
    throw new CliError(`${text} has no v2: address, and msgr1 is not spoken here`, { exitCode: 2 });
  }
  if (addr.isBlankIp || addr.port === 0) {
    throw new CliError(`${text} is not complete: v2:IP:PORT/NONCE is needed`, { exitCode: 2 });
  }
  // A nonce of 0 is a value like any other (monitors have it), so only the text tells that none was given.
  if (addr.nonce === 0 && !/\/0+\b/.test(text)) {
    throw new CliError(
      `${text} has no nonce. The nonce is a part of the address that changes when the daemon restarts: v2:IP:PORT/NONCE, in the lines of 'ceph osd dump' (hb_front and hb_back: 'ceph osd metadata ID', 'ceph osd dump --format json')`,
      { exitCode: 2 },
    );
  }
  return addr;
}

function parseAddrs(text: string): EntityAddrVec {
  try {
    return EntityAddrVec.parse(text);
  } catch (error) {
    if (error instanceof MsgrError) throw new CliError(error.message, { cause: error, exitCode: 2 });
    throw error;
  }
}
