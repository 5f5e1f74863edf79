/**
 * What a key is used for. Keys of type aes256k derive other keys for each usage, so that what was sealed
 * for one purpose opens for no other; keys of type aes ignore it. `CEPHX_KEY_USAGE_*` of CephxProtocol.h.
 */
export const KeyUsage = {
  /** Monitor to client: the connection secret, under the session key of the AUTH ticket. */
  AuthConnectionSecret: 0x03,
  /** Monitor to client: a ticket's session key, under the entity's key or the AUTH session key. */
  TicketSessionKey: 0x04,
  /** Monitor to client: a ticket's blob, under the session key of the AUTH ticket that it replaces. */
  TicketBlob: 0x05,
  /** Client to service: CephXAuthorize, under the ticket's session key. */
  Authorize: 0x10,
  AuthorizeChallenge: 0x11,
  AuthorizeReply: 0x12,
  /** Monitor to daemon: the rotating secrets, under the daemon's own key. */
  RotatingSecret: 0x20,
  /** Inside a ticket's blob: for the service alone, under its rotating secret. */
  TicketInfo: 0x30,
} as const;
export type KeyUsage = (typeof KeyUsage)[keyof typeof KeyUsage];
