/**
 * Every limit of the messenger, with its unit, its reason and what happens beyond it.
 * Those that the native core applies are handed to it from here; it keeps no second copy.
 */

/** Segments of one frame (msgr2 preamble has room for four); more is a bad frame. */
export const segmentCountMax = 4;

/**
 * Payload bytes of a control frame. The largest real ones carry cephx tickets and address vectors, a few
 * KiB; a peer that declares more is closed before anything is allocated.
 */
export const controlPayloadBytesMax = 64 * 1024;

/** Banner payload bytes; 16 today, more is allowed to a future peer as Ceph allows it, within reason. */
export const bannerPayloadBytesMax = 1024;

/**
 * Front, middle and data bytes together of one message, by default. Ceph's largest messages are object
 * writes (`osd_max_write_size`, 90 MiB); memory is committed only as bytes arrive.
 */
export const messageBytesMaxDefault = 256 * 1024 * 1024;

/** Payloads of at least this many bytes are lent to the kernel instead of being copied into the send slab. */
export const lendBytesMin = 16 * 1024;

/** One receive or send slab; a frame that does not fit gets a slab of its own. */
export const slabBytes = 1024 * 1024;

/**
 * The same of a loop on a thread of its own, which reads into four slabs by turns: so that one is full, and V8 may
 * collect it, before it has lived through two of V8's collections.
 */
export const slabBytesOfThread = 256 * 1024;

/** Bytes taken from one socket in one loop turn before the next socket has its turn. */
export const receiveTurnBytesMax = 1024 * 1024;

/**
 * Framed bytes of one channel that wait for its socket; beyond, messages wait unframed, by priority. With what
 * the sockets hold they still lie in a core's second-level cache; at 1 MiB a stream of small messages is up to a
 * tenth slower, and at 256 KiB by as much and more, as the queue then runs empty.
 */
export const channelQueueBytesMax = 768 * 1024;

/**
 * `send()` answers false above this many bytes of backlog on one connection. As much as one channel frames: a
 * sender that heeds the answer never has a message wait unframed, and what waits still lies in the cache.
 */
export const sendHighWaterMarkDefault = channelQueueBytesMax;

/**
 * Written bytes of a lossless session within one host that the peer has not acknowledged: it has not read them,
 * or says so with its next write. Beyond, a sender sees them as backlog: the sockets of one host take as much as is given
 * them, and what waits there should still lie in the caches when it is read.
 */
export const unreadWithinHostBytesMax = 2 * 1024 * 1024;

/** Sent bytes that the peer has not acknowledged; beyond, nothing more is framed until it does. */
export const unackedBytesMax = 64 * 1024 * 1024;

/**
 * What a queued message costs in memory beside its payload: the message object, its place in the queue, its
 * share of the receive slab (`scripts/slow-consumer.ts` measures half a KiB), and a half more for what the heap
 * keeps free. The dispatch throttle counts it, so that messages of 64 bytes keep within the cap as large ones do.
 */
export const messageOverheadBytes = 768;

/**
 * Payload bytes that a worker dispatcher has taken and not answered, by default; beyond, connections that
 * bring more are not read from. Half a second's work at 64 MB/s, which is fast for a handler worth a thread.
 */
export const workerBytesMaxDefault = 32 * 1024 * 1024;

/** The same in messages: each holds on to the receive slab that it arrived in. */
export const workerMessagesMaxDefault = 4096;

/** Messages and payload bytes of one task for a worker (one message may exceed the bytes). */
export const workerTaskMessagesMax = 256;
export const workerTaskBytesMax = 1024 * 1024;

/**
 * Questions to the monitors (commands, versions) that may wait for an answer, and the bytes they carry.
 * While there is no quorum nothing is answered; beyond this a question is refused at once.
 */
export const monRequestsMax = 4096;
export const monRequestBytesMax = 64 * 1024 * 1024;

/** Messages, and their bytes, that may wait for a session with a monitor; beyond, `send` throws. */
export const monWaitingMessagesMax = 4096;
export const monWaitingBytesMax = 64 * 1024 * 1024;

/**
 * OSDMaps, in their encoding, that one reader keeps for its user; what does not fit is asked for again when
 * there is room. A map of a thousand OSDs has some 200 KB, an incremental some hundred bytes to a few KB.
 */
export const osdMapBufferBytesMax = 32 * 1024 * 1024;

/** Cluster log entries that no monitor has acknowledged; beyond, new ones are dropped and counted. */
export const clusterLogEntriesMax = 4096;

/** Highest max_osd that an increment may set; Ceph's monitors stop at 10,000 unless told otherwise. */
export const maxOsdMax = 262_144;

/** Bytes of one command on an admin socket; Ceph's own are some hundred. Beyond, the connection is closed. */
export const adminCommandBytesMax = 64 * 1024;

/** Connections to one admin socket at a time; each is one command. Beyond, they are closed at once. */
export const adminConnectionsMax = 64;

/** How long a connection to an admin socket may take to say its command. */
export const adminCommandTimeoutMs = 10_000;

/** Bytes of an admin socket's answer that a client takes; `dump_osd_network` of 10,000 peers has some 10 MB. */
export const adminAnswerBytesMax = 64 * 1024 * 1024;

/**
 * What one OSD may put into the monitor's map and store when it boots: addresses in one vector (Ceph's have
 * two), and bytes of metadata (Ceph's have 2 KB). Beyond, it is not let up. Every subscriber is sent the map.
 */
export const bootAddrsMax = 8;
export const bootMetadataBytesMax = 256 * 1024;

/**
 * What the monitor keeps of the cluster log: entries (as many as Ceph keeps), bytes of them, and characters of
 * one message. Older entries go when there are more; a longer message is cut.
 */
export const monLogEntriesMax = 10_000;
export const monLogBytesMax = 32 * 1024 * 1024;
export const monLogMessageCharactersMax = 64 * 1024;

/** Versions of the configuration that the monitor remembers; `config reset` goes back no further. */
export const configHistoryMax = 1000;
