/** How an OSD authenticates: by the methods that the configuration allows it, with the key of its keyring. */
import { existsSync } from 'node:fs';
import { AuthMethod, type AuthSession } from '../../auth/auth.ts';
import { CephxSession } from '../../auth/cephx/session.ts';
import type { AuthSnapshot } from '../../auth/cephx/snapshot.ts';
import { authMethods } from '../../auth/connection-modes.ts';
import { Keyring } from '../../auth/keyring.ts';
import { noneSession } from '../../auth/none.ts';
import type { CephConfig } from '../../config/ceph-config.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Options } from '../../options.ts';
import { EntityType } from '../../wire/entity-name.ts';

export interface OsdAuth {
  readonly session: AuthSession;
  /** Tickets and keys for the heartbeat threads; undefined with AUTH_NONE, which has none. */
  snapshot(): AuthSnapshot | undefined;
  /** Called when there are others. */
  onChange: () => void;
}

/** cephx when it is allowed and there is a key, else none if that is allowed. @throws MsgrError ERR_MSGR_KEYRING */
export function osdAuth(config: CephConfig, options: Options): OsdAuth {
  const methods = authMethods(options, EntityType.Osd, EntityType.Mon);
  const paths = config.keyringPaths;
  const hasKeyring = paths.some((path) => existsSync(path));
  if (methods.includes(AuthMethod.Cephx) && (hasKeyring || !methods.includes(AuthMethod.None))) {
    const { key } = Keyring.load(paths).require(config.name);
    return new CephxOsdAuth({ name: config.name, key, options, isDaemon: true });
  }
  if (!methods.includes(AuthMethod.None)) {
    throw new MsgrError(ErrorCode.Keyring, 'auth_cluster_required allows neither cephx nor none');
  }
  return { session: noneSession(config.name), snapshot: () => undefined, onChange: () => {} };
}

/** The session tells when a monitor gave something, since the heartbeat threads must have it too. */
class CephxOsdAuth extends CephxSession implements OsdAuth {
  onChange = (): void => {};

  get session(): AuthSession {
    return this;
  }

  override choose(...args: Parameters<CephxSession['choose']>): void {
    super.choose(...args);
    this.onChange();
  }

  override handleReply(...args: Parameters<CephxSession['handleReply']>): void {
    super.handleReply(...args);
    this.onChange();
  }
}
