/** Frame tags of msgr2.1 (facts 1.8): the first byte of every preamble. */
export const Tag = {
  Hello: 1,
  AuthRequest: 2,
  AuthBadMethod: 3,
  AuthReplyMore: 4,
  AuthRequestMore: 5,
  AuthDone: 6,
  AuthSignature: 7,
  ClientIdent: 8,
  ServerIdent: 9,
  IdentMissingFeatures: 10,
  SessionReconnect: 11,
  SessionReset: 12,
  SessionRetry: 13,
  SessionRetryGlobal: 14,
  SessionReconnectOk: 15,
  Wait: 16,
  Message: 17,
  Keepalive2: 18,
  Keepalive2Ack: 19,
  Ack: 20,
  /** Quincy and later; 16.2.15 neither sends nor knows it, we only name it in errors. */
  CompressionRequest: 21,
  /** Quincy and later. */
  CompressionDone: 22,
  /** Ours, between messengers of this project within one host that agreed on it; far from Ceph's numbers. */
  SharedMemory: 0x70,
} as const;
export type Tag = (typeof Tag)[keyof typeof Tag];

const names = new Map<number, string>(
  Object.entries(Tag).map(([name, tag]) => [tag, name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase()]),
);

/** Ceph's spelling, `SESSION_RECONNECT_OK`; `tag 99` for a number without a name. */
export function tagName(tag: number): string {
  return names.get(tag) ?? `tag ${tag}`;
}
