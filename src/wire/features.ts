/**
 * Ceph's feature bits: what an entity understands, 64 bits that travel in CLIENT_IDENT and SERVER_IDENT.
 *
 * Bits have been used again after their first meaning had become universal. A later use counts only
 * together with a marker of its time: bit 57 for the second incarnation, bits 57 and 28 for the third.
 * A feature is therefore a mask, and a peer has it when every bit of the mask is set.
 */

const incarnation1 = 0n;
const incarnation2 = 1n << 57n;
const incarnation3 = incarnation2 | (1n << 28n);

const bit = (index: number, incarnation = incarnation1): bigint => (1n << BigInt(index)) | incarnation;

/** Masks by Ceph's names, CEPH_FEATURE_ left off. */
export const Feature = {
  UID: bit(0),
  NOSRCADDR: bit(1),
  SERVER_NAUTILUS: bit(2, incarnation3),
  FLOCK: bit(3),
  SUBSCRIBE2: bit(4),
  MONNAMES: bit(5),
  RECONNECT_SEQ: bit(6),
  DIRLAYOUTHASH: bit(7),
  OBJECTLOCATOR: bit(8),
  PGID64: bit(9),
  INCSUBOSDMAP: bit(10),
  PGPOOL3: bit(11),
  OSDREPLYMUX: bit(12),
  OSDENC: bit(13),
  SERVER_KRAKEN: bit(14, incarnation2),
  MONENC: bit(15),
  SERVER_OCTOPUS: bit(16, incarnation3),
  CRUSH_TUNABLES: bit(18),
  OSD_PGLOG_HARDLIMIT: bit(19, incarnation2),
  SERVER_PACIFIC: bit(20, incarnation3),
  SERVER_LUMINOUS: bit(21, incarnation2),
  OSD_FIXED_COLLECTION_LIST: bit(22, incarnation2),
  MSG_AUTH: bit(23),
  RECOVERY_RESERVATION_2: bit(24, incarnation2),
  CRUSH_TUNABLES2: bit(25),
  CREATEPOOLID: bit(26),
  REPLY_CREATE_INODE: bit(27),
  SERVER_MIMIC: bit(28, incarnation2),
  MDSENC: bit(29),
  OSDHASHPSPOOL: bit(30),
  STRETCH_MODE: bit(32, incarnation3),
  SERVER_QUINCY: bit(33, incarnation3),
  OSD_CACHEPOOL: bit(35),
  CRUSH_V2: bit(36),
  EXPORT_PEER: bit(37),
  OSDMAP_ENC: bit(39),
  MDS_INLINE_DATA: bit(40),
  CRUSH_TUNABLES3: bit(41),
  MSGR_KEEPALIVE2: bit(42),
  OSD_POOLRESEND: bit(43),
  OSD_FADVISE_FLAGS: bit(46),
  MDS_QUOTA: bit(47),
  CRUSH_V4: bit(48),
  NEW_OSDOP_ENCODING: bit(56),
  SERVER_JEWEL: bit(57),
  MON_STATEFUL_SUB: bit(57),
  CRUSH_TUNABLES5: bit(58),
  MSG_ADDR2: bit(59),
  OSD_RECOVERY_DELETES: bit(60),
  CEPHX_V2: bit(61),
} as const;
export type FeatureName = keyof typeof Feature;

/** CEPH_FEATURES_SUPPORTED_DEFAULT of 16.2.15: what its daemons say, and so what we say. */
export const supportedDefault = 0x3f01cfbdfffdffffn;

/** What every msgr2 peer must have: its addresses are typed. */
export const msgr2Required: bigint = Feature.MSG_ADDR2;

/** True when `features` has every bit of `mask`, its incarnation's marker included. */
export function hasFeature(features: bigint, mask: bigint): boolean {
  return (features & mask) === mask;
}

/** Names of the features whose mask holds a bit of `features`; bits without a name as `bit 17`. */
export function featureNames(features: bigint): string[] {
  const names: string[] = [];
  for (let index = 0n; index < 64n; index++) {
    const single = 1n << index;
    if ((features & single) === 0n) continue;
    const known = Object.entries(Feature).find(
      ([, mask]) => (mask & ~incarnation3) === single || mask === single,
    );
    names.push(known === undefined ? markerName(index) : known[0]);
  }
  return names;
}

function markerName(index: bigint): string {
  return index === 28n ? 'SERVER_MIMIC' : index === 57n ? 'SERVER_JEWEL' : `bit ${index}`;
}
