/**
 * The banner: the first bytes both sides send, without waiting for each other.
 *
 *      0  8  "ceph v2\n"
 *      8  2  u16 payload length (16 today; a longer one is read, its first 16 bytes count)
 *     10  8  u64 msgr2 features supported
 *     18  8  u64 msgr2 features required
 *
 * Spec: msgr2.rst "Banner".
 */
import { ErrorCode, MsgrError } from '../errors.ts';
import { bannerPayloadBytesMax } from '../limits.ts';
import { Decoder } from '../wire/decoder.ts';
import { encodeWith } from '../wire/encoder.ts';

/** Bits of the banner's feature words. */
export const Msgr2Feature = {
  /** msgr2.1 framing. */
  Revision1: 1n,
  /** On-wire compression, Quincy and later. */
  Compression: 2n,
} as const;

export interface Banner {
  readonly supportedFeatures: bigint;
  readonly requiredFeatures: bigint;
}

/** What this implementation says: it speaks msgr2.1, and nothing else, as the Linux kernel's client does. */
export const ourBanner: Banner = {
  supportedFeatures: Msgr2Feature.Revision1,
  requiredFeatures: Msgr2Feature.Revision1,
};

const prefix = Buffer.from('ceph v2\n', 'latin1');
const v1Prefix = 'ceph v0';
const payloadBytes = 16;

/** Bytes before the payload: the prefix and the payload's length. */
export const bannerHeadBytes = prefix.byteLength + 2;

export function encodeBanner(banner: Banner): Buffer {
  return encodeWith((encoder) =>
    encoder.raw(prefix).u16(payloadBytes).u64(banner.supportedFeatures).u64(banner.requiredFeatures),
  );
}

/**
 * Reads the first {@link bannerHeadBytes} bytes and answers the payload's length.
 * @throws MsgrError ERR_MSGR_BAD_BANNER for a peer of the older protocol, or of none.
 */
export function decodeBannerHead(head: Buffer): number {
  if (!head.subarray(0, prefix.byteLength).equals(prefix)) {
    const speaksV1 = head.toString('latin1', 0, v1Prefix.length) === v1Prefix;
    throw new MsgrError(
      ErrorCode.BadBanner,
      speaksV1 ? 'the peer speaks msgr v1; this is a v2 port' : 'the peer does not speak msgr2',
    );
  }
  const length = head.readUInt16LE(prefix.byteLength);
  if (length < payloadBytes || length > bannerPayloadBytesMax) {
    throw new MsgrError(
      ErrorCode.BadBanner,
      `banner payload of ${length} bytes; ${payloadBytes} to ${bannerPayloadBytesMax} are readable`,
      { offset: prefix.byteLength, field: 'banner.payloadLength' },
    );
  }
  return length;
}

export function decodeBannerPayload(payload: Buffer): Banner {
  const decoder = new Decoder(payload, 'banner');
  return {
    supportedFeatures: decoder.u64('supportedFeatures'),
    requiredFeatures: decoder.u64('requiredFeatures'),
  };
}

/** @throws MsgrError ERR_MSGR_BAD_BANNER naming the feature bits that one side requires and the other lacks. */
export function checkBanner(mine: Banner, peer: Banner): void {
  const peerLacks = mine.requiredFeatures & ~peer.supportedFeatures;
  if (peerLacks !== 0n) {
    throw new MsgrError(ErrorCode.BadBanner, `the peer lacks msgr2 features 0x${peerLacks.toString(16)}`);
  }
  const weLack = peer.requiredFeatures & ~mine.supportedFeatures;
  if (weLack !== 0n) {
    throw new MsgrError(ErrorCode.BadBanner, `the peer requires msgr2 features 0x${weLack.toString(16)}`);
  }
}
