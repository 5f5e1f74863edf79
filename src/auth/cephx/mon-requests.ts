/** What a client asks of a monitor once it is in, in MAuth messages: new tickets, rotating keys. */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Decoder } from '../../wire/decoder.ts';
import { encodeWith } from '../../wire/encoder.ts';
import { EntityType } from '../../wire/entity-name.ts';
import type { AuthRequestHandler } from '../auth.ts';
import { Errno } from '../errno.ts';
import { isAuthorizerMode } from '../payload-mode.ts';
import { KeyUsage } from './key-usage.ts';
import type { MonAuthContext } from './mon-auth.ts';
import { answerProof, type Claim } from './mon-proof.ts';
import { openAuthorizer } from './open-authorizer.ts';
import { encodeResponseHeader, RequestType } from './request.ts';
import { encodeRotatingSecrets } from './rotating-secrets.ts';
import { seal, structVersion } from './sealed.ts';
import { encodeTicketGrants } from './ticket-grant.ts';

const nothing = Buffer.alloc(0);

export class MonRequests implements AuthRequestHandler {
  readonly #context: MonAuthContext;
  readonly #claim: Claim;

  /** `claim`: proven in the handshake, with the global id that it has now. */
  constructor(context: MonAuthContext, claim: Claim) {
    this.#context = context;
    this.#claim = claim;
  }

  handleRequest(payload: Uint8Array): { result: number; payload: Buffer } {
    try {
      const decoder = new Decoder(Uint8Array.from(payload), 'mAuth');
      const type = decoder.u16('type');
      switch (type) {
        case RequestType.AuthSessionKey:
          return answered(answerProof(this.#context, this.#claim, decoder, nothing).payload);
        case RequestType.PrincipalSessionKey:
          return answered(this.#tickets(decoder));
        case RequestType.RotatingKey:
          return answered(this.#rotatingKeys());
        default:
          return { result: -Errno.EINVAL, payload: nothing };
      }
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      return { result: -(error.errno ?? Errno.EACCES), payload: nothing };
    }
  }

  #tickets(decoder: Decoder): Buffer {
    const { keys, now, tickets } = this.#context;
    const mode = decoder.u8('mode');
    if (!isAuthorizerMode(mode)) decoder.fail('mode', `${mode} is no authorizer (1 to 9)`);
    const { head, sessionKey, ticket } = openAuthorizer(decoder, keys, now());
    const { name, globalId } = this.#claim;
    if (head.service !== EntityType.Auth || ticket.globalId !== globalId || !ticket.name.equals(name)) {
      throw new MsgrError(ErrorCode.Auth, `${name} shows the ticket of ${ticket.name}, ${ticket.globalId}`);
    }
    const services = decoder.within('ticketRequest', () => {
      structVersion(decoder);
      return decoder.u32('keys');
    });
    // An entity that was removed gets nothing more.
    const auth = keys.entity(name);
    if (auth === undefined) throw new MsgrError(ErrorCode.Auth, `${name} is not known any more`);
    const grants = tickets.makeAll(services, { name, globalId, auth });
    return encodeWith((encoder) => {
      encodeResponseHeader(encoder, { type: RequestType.PrincipalSessionKey, status: 0 });
      encodeTicketGrants(encoder, grants, sessionKey);
    });
  }

  #rotatingKeys(): Buffer {
    const { keys } = this.#context;
    const { name } = this.#claim;
    const auth = keys.entity(name);
    const rotating = keys.rotatingSecrets(name.type);
    // Clients, and AUTH itself, have none that anyone may have.
    if (auth === undefined || rotating === undefined || name.type === EntityType.Auth) {
      throw new MsgrError(ErrorCode.Auth, `${name} may not have rotating keys`);
    }
    const sealed = seal(auth.key, KeyUsage.RotatingSecret, (inner) => encodeRotatingSecrets(inner, rotating));
    return encodeWith((encoder) => {
      encodeResponseHeader(encoder, { type: RequestType.RotatingKey, status: 0 });
      encoder.buffer(sealed);
    });
  }
}

function answered(payload: Buffer): { result: number; payload: Buffer } {
  return { result: 0, payload };
}
