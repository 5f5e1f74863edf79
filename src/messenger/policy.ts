/**
 * How a messenger treats peers of one entity type: Ceph's policies with Ceph's names.
 *
 *                               lossy server standby resetCheck registerLossyClients
 *      stateful_server            ·     ●      ●        ●             ●
 *      stateless_registered_server ●    ●      ·        ·             ●
 *      stateless_server           ●     ●      ·        ·             ·
 *      lossless_peer              ·     ·      ●        ·             ●
 *      lossless_peer_reuse        ·     ·      ●        ●             ●
 *      lossy_client               ●     ·      ·        ·             ●
 *      lossless_client            ·     ·      ·        ●             ●
 *
 * Source: src/msg/Policy.h (facts).
 */
import { supportedDefault } from '../wire/features.ts';
import type { Throttle } from './throttle.ts';

export interface Policy {
  /** A broken connection is dropped with a reset event, and what it held is lost. */
  readonly lossy: boolean;
  /** This side never connects; it waits for the peer to come back. */
  readonly server: boolean;
  /** A broken connection with nothing to send rests until there is something. */
  readonly standby: boolean;
  /** The peer's loss of the session is noticed and reported (`handleRemoteReset`). */
  readonly resetCheck: boolean;
  /** Accepted lossy connections are found again by address; else each is on its own. */
  readonly registerLossyClients: boolean;
  readonly featuresSupported: bigint;
  readonly featuresRequired: bigint;
  /** Bytes and messages in dispatch over all connections of this policy. */
  readonly throttlerBytes?: Throttle;
  readonly throttlerMessages?: Throttle;
}

/** What the constructors below let a caller change. */
export type PolicyOptions = Partial<
  Pick<Policy, 'featuresSupported' | 'featuresRequired' | 'throttlerBytes' | 'throttlerMessages'>
>;

function make(
  lossy: boolean,
  server: boolean,
  standby: boolean,
  resetCheck: boolean,
  registerLossyClients: boolean,
): (options?: PolicyOptions) => Policy {
  return (options = {}) =>
    Object.freeze({
      lossy,
      server,
      standby,
      resetCheck,
      registerLossyClients,
      featuresSupported: supportedDefault,
      featuresRequired: 0n,
      ...options,
    });
}

/** Makers of Ceph's policies, by Ceph's names. */
export const Policy = {
  statefulServer: make(false, true, true, true, true),
  statelessRegisteredServer: make(true, true, false, false, true),
  statelessServer: make(true, true, false, false, false),
  losslessPeer: make(false, false, true, false, true),
  losslessPeerReuse: make(false, false, true, true, true),
  lossyClient: make(true, false, false, false, true),
  losslessClient: make(false, false, false, true, true),
} as const;
