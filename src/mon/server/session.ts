/** One client of the monitor, from its connection's authentication to its end. */
import type { Connection } from '../../messenger/connection.ts';
import type { Message, ReceivedMessage } from '../../messenger/message.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import type { EntityAuthName } from '../../wire/entity-name.ts';
import type { MonCaps } from './caps/mon-caps.ts';

export interface MonSession {
  readonly connection: Connection;
  /** Who authentication says it is. */
  readonly entity: EntityAuthName;
  readonly globalId: bigint;
  readonly caps: MonCaps;
  readonly addrs: EntityAddrVec;
  readonly isClosed: boolean;
  /** Latest osdmap epoch it was sent, 0 before: what it need not be sent again. */
  osdEpoch: number;
}

/** A message and whom to answer. */
export interface MonOp<Body> {
  readonly message: ReceivedMessage;
  readonly body: Body;
  readonly session: MonSession;
  /** Carries the request's transaction id; nothing happens when the session is gone. */
  reply(answer: Message): void;
}
