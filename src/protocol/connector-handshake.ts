/** The connector's handshake: it dialled, so it knows whom it expects, and it asks to be let in. */
import type { AuthClient } from '../auth/auth.ts';
import { ErrorCode, MsgrError } from '../errors.ts';
import { EntityType, entityTypeName } from '../wire/entity-name.ts';
import { authBadMethodFrame } from '../wire/frames/auth-bad-method.ts';
import { authDoneFrame } from '../wire/frames/auth-done.ts';
import { authReplyMoreFrame } from '../wire/frames/auth-reply-more.ts';
import { authRequestFrame } from '../wire/frames/auth-request.ts';
import { authRequestMoreFrame } from '../wire/frames/auth-request-more.ts';
import type { Hello } from '../wire/frames/hello.ts';
import { Tag } from '../wire/frames/tag.ts';
import { Handshake, type PeerGreeting } from './handshake.ts';

export class ConnectorHandshake extends Handshake {
  protected readonly role = 'connector';
  readonly #peerType: number;
  readonly #auth: AuthClient;

  /** `peerType`: the entity type that must answer, or `EntityType.Any`. */
  constructor(hello: Hello, peerType: number, auth: AuthClient) {
    super(hello);
    this.#peerType = peerType;
    this.#auth = auth;
  }

  protected override greeted(greeting: PeerGreeting): void {
    if (this.#peerType !== EntityType.Any && greeting.peerType !== this.#peerType) {
      throw new MsgrError(
        ErrorCode.PeerMismatch,
        `a ${entityTypeName(greeting.peerType)} answers where a ${entityTypeName(this.#peerType)} was expected`,
        { field: 'hello.entityType' },
      );
    }
    this.ask(Tag.AuthRequest, authRequestFrame.encode(this.#auth.start()));
  }

  protected override authFrame(tag: number, payload: Buffer): void {
    switch (tag) {
      case Tag.AuthBadMethod: {
        const request = this.#auth.handleBadMethod(authBadMethodFrame.decode(payload));
        return this.ask(Tag.AuthRequest, authRequestFrame.encode(request));
      }
      case Tag.AuthReplyMore: {
        const answer = this.#auth.handleReplyMore(authReplyMoreFrame.decode(payload).payload);
        return this.ask(Tag.AuthRequestMore, authRequestMoreFrame.encode({ payload: answer }));
      }
      case Tag.AuthDone: {
        const done = authDoneFrame.decode(payload);
        return this.sign(this.#auth.handleDone(done.globalId, done.connectionMode, done.payload));
      }
      default:
        this.unexpected(tag);
    }
  }
}
