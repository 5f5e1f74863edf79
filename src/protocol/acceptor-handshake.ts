/** The acceptor's handshake: it learns who dialled, and lets in whom the authentication proves. */
import type { AuthReply, AuthServer } from '../auth/auth.ts';
import { authBadMethodFrame } from '../wire/frames/auth-bad-method.ts';
import { authDoneFrame } from '../wire/frames/auth-done.ts';
import { authReplyMoreFrame } from '../wire/frames/auth-reply-more.ts';
import { authRequestFrame } from '../wire/frames/auth-request.ts';
import { authRequestMoreFrame } from '../wire/frames/auth-request-more.ts';
import type { Hello } from '../wire/frames/hello.ts';
import { Tag } from '../wire/frames/tag.ts';
import { Handshake, type PeerGreeting } from './handshake.ts';

export class AcceptorHandshake extends Handshake {
  protected readonly role = 'acceptor';
  readonly #makeAuth: (peerType: number) => AuthServer;
  #auth: AuthServer | undefined;
  #askedForMore = false;

  constructor(hello: Hello, makeAuth: (peerType: number) => AuthServer) {
    super(hello);
    this.#makeAuth = makeAuth;
  }

  protected override greeted(greeting: PeerGreeting): void {
    this.#auth = this.#makeAuth(greeting.peerType);
    this.expectFrame();
  }

  protected override authFrame(tag: number, payload: Buffer): void {
    if (tag === Tag.AuthRequest && !this.#askedForMore) {
      this.#reply(this.#auth!.handleRequest(authRequestFrame.decode(payload)));
    } else if (tag === Tag.AuthRequestMore && this.#askedForMore) {
      this.#reply(this.#auth!.handleRequestMore(authRequestMoreFrame.decode(payload).payload));
    } else {
      this.unexpected(tag);
    }
  }

  #reply(reply: AuthReply): void {
    this.#askedForMore = reply.kind === 'more';
    switch (reply.kind) {
      case 'more':
        return this.ask(Tag.AuthReplyMore, authReplyMoreFrame.encode({ payload: reply.payload }));
      case 'refused':
        return this.ask(Tag.AuthBadMethod, authBadMethodFrame.encode(reply));
      case 'done': {
        const { globalId, connectionMode } = reply.outcome;
        // The signature covers what the peer sent up to its last request; AUTH_DONE is ours and is
        // part of what the peer signs.
        this.tell(Tag.AuthDone, authDoneFrame.encode({ globalId, connectionMode, payload: reply.payload }));
        return this.sign(reply.outcome);
      }
    }
  }
}
