/**
 * Message types: what turns the segments of a MESSAGE frame into a typed body and back.
 *
 * A message type is a value, made with {@link defineMessage} and put into a {@link MessageRegistry};
 * there is no global table. A type that no registry knows still travels, as raw front, middle and data.
 *
 * Decoded bodies hold views into the segments and live as long as those; what is kept beyond a borrowed
 * dispatch is copied by the one who keeps it. Bytes after the last known field are ignored, as in Ceph.
 */
import { Buffer } from 'node:buffer';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Decoder } from '../decoder.ts';
import { Encoder } from '../encoder.ts';

const none = Buffer.alloc(0);

/**
 * Fronts up to this many bytes are written one behind the other into memory that they share: making memory for
 * each costs several times the writing, and Node's own pool has room for four heartbeats. Larger ones get
 * their own.
 */
const sharedFrontBytesMax = 4096;
/** A front that somebody keeps holds the memory of its neighbours, so it is not more than this. */
const frontPoolBytes = 64 * 1024;
const sharedEncoder = new Encoder(frontPoolBytes);
/** An `encode` that itself encodes a message must not write into the outer one's bytes. */
let sharedEncoderBusy = false;

/** Runs `write` on an empty encoder and hands the bytes out. */
function encodeFront(expectedBytes: number | undefined, write: (encoder: Encoder) => void): Buffer {
  if (sharedEncoderBusy || (expectedBytes !== undefined && expectedBytes > sharedFrontBytesMax)) {
    const encoder = new Encoder(expectedBytes);
    write(encoder);
    return encoder.take();
  }
  sharedEncoderBusy = true;
  try {
    if (sharedEncoder.room < sharedFrontBytesMax) sharedEncoder.renew(frontPoolBytes);
    write(sharedEncoder);
    return sharedEncoder.byteLength > sharedFrontBytesMax ? sharedEncoder.take() : sharedEncoder.cut();
  } finally {
    // Also when `write` threw: the next message must not begin with half of this one.
    sharedEncoder.reset();
    sharedEncoderBusy = false;
  }
}

/** A message's payload with the two versions that its header carries. */
export interface MessagePayload {
  readonly version: number;
  readonly compatVersion: number;
  readonly front: Uint8Array;
  readonly middle: Uint8Array;
  readonly data: Uint8Array;
}

/** What `decode` takes: a wire message, of which only these parts are looked at. */
export interface EncodedMessage {
  readonly version: number;
  readonly compatVersion: number;
  readonly front: Uint8Array;
  readonly middle?: Uint8Array | undefined;
  readonly data?: Uint8Array | undefined;
}

/** Given to a definition's `encode`; it may set any of these, the front goes to the encoder. */
export interface EncodeContext {
  version: number;
  compatVersion: number;
  middle: Uint8Array;
  data: Uint8Array;
}

/** Given to a definition's `decode`; the front is in the decoder. */
export interface DecodeContext {
  /** Version the sender encoded with; branches go by it, and it may be newer than ours. */
  readonly version: number;
  readonly compatVersion: number;
  readonly middle: Uint8Array;
  readonly data: Uint8Array;
}

export interface MessageType<Body> {
  /** Number on the wire (facts 2.5). */
  readonly type: number;
  /** Ceph's name for it in logs: `osd_ping`. */
  readonly name: string;
  /** Version that is written, and the newest whose fields are all known. */
  readonly headVersion: number;
  /** Oldest version that a reader of what is written must know. */
  readonly compatVersion: number;
  /** Send priority of this type; undefined leaves it to the messenger's default. */
  readonly priority: number | undefined;
  /** The versions are those of the header to send; a body may have been encoded in an older one. */
  encode(body: Body): MessagePayload;
  /**
   * @throws MsgrError `ERR_MSGR_MALFORMED` when the bytes end early or contradict themselves, or when the
   * sender says that a reader must know a version above `headVersion`.
   */
  decode(message: EncodedMessage): Body;
}

export interface MessageDefinition<Body> {
  readonly type: number;
  readonly name: string;
  readonly headVersion: number;
  readonly compatVersion: number;
  readonly priority?: number;
  /** About how many bytes the front will have; saves the encoder from growing. */
  readonly frontBytes?: (body: Body) => number;
  readonly encode: (body: Body, encoder: Encoder, context: EncodeContext) => void;
  readonly decode: (decoder: Decoder, context: DecodeContext) => Body;
}

const u16Max = 0xffff;

/** @throws TypeError when a number does not fit the header, which is a programmer's mistake. */
export function defineMessage<Body>(definition: MessageDefinition<Body>): MessageType<Body> {
  const { type, name, headVersion, compatVersion, priority, frontBytes } = definition;
  for (const [label, value] of Object.entries({
    type,
    headVersion,
    compatVersion,
    priority: priority ?? 0,
  })) {
    if (!Number.isInteger(value) || value < 0 || value > u16Max) {
      throw new TypeError(`message ${name}: ${label} must be an integer from 0 to ${u16Max}, not ${value}`);
    }
  }
  if (compatVersion > headVersion) throw new TypeError(`message ${name}: compatVersion is above headVersion`);
  return Object.freeze({
    type,
    name,
    headVersion,
    compatVersion,
    priority,
    encode(body: Body): MessagePayload {
      const context: EncodeContext = { version: headVersion, compatVersion, middle: none, data: none };
      const front = encodeFront(frontBytes?.(body), (encoder) => definition.encode(body, encoder, context));
      const { version, middle, data } = context;
      return { version, compatVersion: context.compatVersion, front, middle, data };
    },
    decode(message: EncodedMessage): Body {
      if (message.compatVersion > headVersion) {
        const reason = `${name} needs a reader of version ${message.compatVersion}, this one reads ${headVersion}`;
        throw new MsgrError(ErrorCode.Malformed, reason, { field: `${name}.compatVersion` });
      }
      return definition.decode(new Decoder(message.front, name), {
        version: message.version,
        compatVersion: message.compatVersion,
        middle: message.middle ?? none,
        data: message.data ?? none,
      });
    },
  });
}

/** The message types that one messenger knows, by number. */
export class MessageRegistry {
  readonly #types = new Map<number, MessageType<unknown>>();

  // biome-ignore lint/suspicious/noExplicitAny: a registry holds types of every body.
  constructor(types: Iterable<MessageType<any>> = []) {
    for (const type of types) this.add(type);
  }

  /**
   * @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` when another type already has the number.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a registry holds types of every body.
  add(type: MessageType<any>): this {
    const known = this.#types.get(type.type);
    if (known !== undefined && known !== type) {
      const reason = `message type ${type.type} is already ${known.name}, it cannot be ${type.name} too`;
      throw new MsgrError(ErrorCode.InvalidArgument, reason);
    }
    this.#types.set(type.type, type);
    return this;
  }

  get(type: number): MessageType<unknown> | undefined {
    return this.#types.get(type);
  }

  /** `osd_ping` for 70; `message 4711` for a number without a type, so that logs can name any message. */
  nameOf(type: number): string {
    return this.#types.get(type)?.name ?? `message ${type}`;
  }

  [Symbol.iterator](): IterableIterator<MessageType<unknown>> {
    return this.#types.values();
  }
}
