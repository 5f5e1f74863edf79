// One peer's byte stream in service, without any I/O: what arrived goes in at one end and comes out as
// records, messages go in at the other and come out as iovecs. Between them: the frame reader, sequence
// numbers, acknowledgements, the outbox and keepalive echoes. src/transport/channel.ts says what all of
// it means to the layers above.
//
//      kIdle ──open()──► kHandshake ──start_session()──► kSession          any ──close()──► kIdle
//
// Threads: one, that of its loop; only the counters are read by others. It owns its outbox and tail;
// slab pool, releases, limits and counters are its owner's and outlive it.
//
// How the loop reads a socket, `slab` being its shared receive slab and `at` the slab's end of use:
//
//      if (!channel.wants_input()) do not read
//      if (channel.tail().large())
//          readv into { channel.tail().room(), shared slab from `at` on };
//          channel.tail().filled(part that went into the room);
//          once the room is empty: own = channel.tail().take();
//              received(*own, 0, own->used, …), then whatever came behind it, at `at`, as below
//      else
//          size = channel.tail().move_to(slab + at)             (0 most of the time)
//          size += recv(slab + at + size)
//          result = channel.received(slab, at, size, batch)
//          repeat while there is budget, reading on behind the bytes that are not consumed
//          channel.keep_tail(slab, at + consumed, size - consumed)
//      Bytes of the last socket read may stay in the shared slab until another socket wants to be read
//      or the slab is given away; keep_tail() is what ends that.
//      After expect_…() or start_session() on a channel whose tail is not empty, received() is to be
//      called with the tail's bytes before the socket is read again.
//
// How it writes:  while (channel.wants_output()) { n = channel.gather(…); writev; channel.wrote(size) }
// with no other call between gather() and wrote().
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/base/slab.h"
#include "core/channel/channel_counters.h"
#include "core/channel/outbox.h"
#include "core/channel/record.h"
#include "core/channel/sealed_output.h"
#include "core/channel/send_record.h"
#include "core/channel/stream_tail.h"
#include "core/crypto/stream_secrets.h"
#include "core/wire/frame_reader.h"
#include "core/wire/frame_sealer.h"
#include "core/wire/frame_writer.h"

namespace msgr {

// What all channels of a loop share.
struct ChannelContext {
  const Limits& limits;
  SlabPool& pool;
  LentReleases& releases;
};

// A message of which the payload lies in the gap of its frame, or is lent.
struct OutgoingMessage {
  uint16_t type;
  uint16_t priority;
  uint16_t version;
  uint16_t compat_version;
  uint64_t tid;
  MessageSizes sizes;
  // The frame's bytes: message_frame_size() less what is lent, from `offset` on.
  Slab* slab;
  uint32_t offset;
  // Null: the segment lies in the gap. Else it must stay as it is until `token` comes back.
  const uint8_t* lent_front;
  const uint8_t* lent_data;
  uint64_t front_token;
  uint64_t data_token;
};

enum class ReceiveStatus : uint8_t {
  // All that could be was consumed; the rest waits for more bytes.
  kNeedMore,
  // The handshake got the one answer that it asked for; do not read before it asks again.
  kPulled,
  // Deliver the batch, then call again with what was not consumed.
  kBatchFull,
  // fault() says why; the connection is to be closed.
  kFailed,
};

struct ReceiveResult {
  ReceiveStatus status;
  // Bytes, from the first one given, that are done with.
  uint32_t consumed;
  // On kNeedMore: bytes of the unfinished frame in all, as far as that is known (at least 1).
  uint32_t needed;
};

class Channel {
 public:
  enum class State : uint8_t { kIdle, kHandshake, kSession };

  Channel(const ChannelContext& context, ChannelCounters& counters, uint32_t id);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  [[nodiscard]] uint32_t id() const { return id_; }
  [[nodiscard]] State state() const { return state_; }
  // Of the socket in use; stands in every record. Counted by the I/O layer.
  [[nodiscard]] uint32_t generation() const { return generation_; }
  void set_generation(uint32_t generation) { generation_ = generation; }

  // The socket

  // A socket is there (connected or accepted): a new stream begins, in the handshake.
  void open();
  // The socket is gone: what was read and the control bytes that wait are dropped, the outbox is kept.
  void close();
  // Takes over the stream of `other`, which is in the handshake: unread bytes, reader, keys, control bytes
  // that wait. Its own stream, if any, is dropped as by close(). `other` is idle then.
  void adopt(Channel& other);

  // The handshake

  // The next received() answers with one kBytes record of `count` bytes (at least 1) …
  void expect_bytes(uint32_t count);
  // … or with one kFrame record.
  void expect_frame();
  // Raw bytes, in order with the control frames. Copied.
  void send_bytes(Bytes bytes);
  void send_control(uint8_t tag, Bytes payload);
  // What is sent and received from now on is in secure mode; control bytes that wait already leave as they
  // are. Once for each stream, with nothing expected. False when the host offers no cipher: fault() is set.
  [[nodiscard]] bool secure(const StreamSecrets& secrets);
  // Replays the outbox from its first entry, then streams. `lossless`: entries wait for the peer's ack,
  // and what is received is acknowledged. `within_host`: both ends of the socket are on this host.
  void start_session(bool lossless, bool within_host = false);

  // The session

  // Takes the next sequence number, finishes the frame in place and puts it into the outbox. Allowed in
  // every state; it leaves in session only. The header's ack_seq is in_seq(), in lossy sessions too, as
  // Ceph's daemons write it.
  uint32_t append(const OutgoingMessage& message);
  // The same for messages without lent payloads whose frames lie one behind the other in `slab`, from `offset`
  // on; as many as there are records, of which only the channel is not looked at. Answers the bytes of all.
  uint32_t append_run(const SendRecord* records, uint32_t count, Slab& slab, uint32_t offset);
  // Drops outbox entries up to `seq`, as far as they were ever sent.
  void acknowledge(uint64_t seq);
  // The next message received is the first of a new session. Acks that stand in frames of the outbox
  // are those of the old one: they are taken out.
  void reset_in_seq();
  // Drops the outbox; both counters are 0.
  void reset_session();
  [[nodiscard]] uint64_t in_seq() const { return in_seq_; }
  [[nodiscard]] uint64_t out_seq() const { return out_seq_; }
  [[nodiscard]] bool lossless() const { return lossless_; }

  // Receiving

  // False while idle, and in the handshake while nothing is expected.
  [[nodiscard]] bool wants_input() const;
  // Bytes [offset, offset + size) of the slab are the next ones of the stream. Parses them in place;
  // records of messages point into the slab, and the batch holds a reference on it then.
  ReceiveResult received(Slab& slab, uint32_t offset, uint32_t size, RecordBatch& batch);
  // The same while some of the bytes are still `late`; in a session in crc mode only.
  ReceiveResult received(Slab& slab, uint32_t offset, uint32_t size, RecordBatch& batch, LateBytes& late);
  // Keeps what was not consumed. False when no memory could be had: fault() is set.
  [[nodiscard]] bool keep_tail(const Slab& slab, uint32_t offset, uint32_t size);
  [[nodiscard]] StreamTail& tail() { return tail_; }
  [[nodiscard]] const FrameFault& fault() const { return fault_; }
  // The stream cannot go on: fault() says why, and the connection is to be closed.
  [[nodiscard]] bool failed() const { return fault_.error != FrameError::kNone; }
  // Once per turn and touched channel: writes what has come due of kAcknowledged and kDrained. False
  // when the batch was full; call again with the next.
  [[nodiscard]] bool flush_events(RecordBatch& batch);

  // Sending

  // Something waits for the socket: control bytes, messages, an acknowledgement.
  [[nodiscard]] bool wants_output() const;
  // Answers how many iovecs were filled in; see Outbox::gather for the two limits. Turns what is to be
  // acknowledged into an ACK frame if no message carries it. 0 although something waits: failed().
  [[nodiscard]] size_t gather(iovec* to, size_t count_max, size_t bytes_max);
  // A lossless session within one host: its ends tell each other what they have read, and so bound what waits in
  // the socket themselves.
  [[nodiscard]] bool bounds_unread() const {
    return within_host_ && lossless_ && state_ == State::kSession;
  }
  void wrote(size_t size);
  // The sender has stopped: one kDrained is due as soon as the backlog is below half of
  // channel_queue_bytes_max, at once when it is already. Only the sender can say so, as it also counts what
  // was on its way here.
  void want_drained();
  // For a channel that has been quiet for a while: gives back memory that it keeps for the next burst.
  void release_idle_memory() { outbox_.release_idle_memory(); }
  // Framed bytes that wait for the socket.
  [[nodiscard]] uint64_t queued_bytes() const;
  // The same, and what of the written bytes is too much to wait unread within one host
  // (Limits::unread_within_host_bytes_max).
  [[nodiscard]] uint64_t backlog_bytes() const;

  // What goes on the socket before anything that is appended or sent from now on; not in secure mode, where that
  // is known to the cipher alone.
  [[nodiscard]] uint64_t bytes_before_next() const {
    return outbox_.partial_rest() + control_.size() - control_written_;
  }
  [[nodiscard]] bool is_secure() const { return sealer_ != nullptr; }

  // For tests: null unless the stream is in secure mode.
  [[nodiscard]] Aead* opener() { return reader_.opener(); }
  [[nodiscard]] Aead* sealer() { return sealer_ ? &sealer_->aead() : nullptr; }

 private:
  enum class Expectation : uint8_t { kNothing, kBytes, kFrame };

  ReceiveResult receive_handshake(Slab& slab, uint32_t offset, uint32_t size, RecordBatch& batch);
  template <typename FrameBytes>
  ReceiveResult receive_session(Slab& slab, uint32_t offset, uint32_t size, RecordBatch& batch, FrameBytes& bytes);
  [[nodiscard]] bool take_control_frame(const FrameView& frame, Slab& slab, uint32_t offset,
                                        RecordBatch& batch);
  void echo_keepalive(const uint8_t* stamp);
  void queue_due_control();
  [[nodiscard]] size_t gather_plain(iovec* to, size_t count_max, size_t bytes_max);
  [[nodiscard]] size_t gather_sealed(iovec* to, size_t count_max, size_t bytes_max);
  void took_plain(size_t size);
  void drop_stream();
  void take_ack(uint64_t seq) {
    if (seq > acknowledged_seq_) [[unlikely]] take_new_ack(seq);
  }
  void take_new_ack(uint64_t seq);
  void publish_send_counters();
  void note_queue_level();
  [[nodiscard]] bool fail(const FrameFault& fault);

  const ChannelContext& context_;
  ChannelCounters& counters_;
  const uint32_t id_;
  uint32_t generation_ = 0;
  State state_ = State::kIdle;
  Expectation expectation_ = Expectation::kNothing;
  uint32_t expected_bytes_ = 0;
  bool lossless_ = false;
  bool within_host_ = false;

  FrameReader reader_;
  StreamTail tail_;
  FrameFault fault_;

  Outbox outbox_;
  MessagePreamble preamble_;
  // A frame of the outbox has no CRCs of its payload, as it was to leave sealed.
  bool crcs_left_out_ = false;
  // In secure mode: what plain frames go through on their way to the socket, and what has come out of it.
  std::unique_ptr<FrameSealer> sealer_;
  SealedOutput sealed_;
  // Bytes of control_ that leave as they are, because they were there before secure().
  size_t unsealed_control_ = 0;
  // Control frames and handshake bytes; the first control_written_ of them are on the socket or sealed.
  std::vector<uint8_t> control_;
  size_t control_written_ = 0;

  uint64_t in_seq_ = 0;
  uint64_t out_seq_ = 0;
  // The last in_seq_ that went into a frame.
  uint64_t told_in_seq_ = 0;
  // The newest stamp of a KEEPALIVE2 whose echo found no room; 8 bytes as they came.
  uint8_t keepalive_stamp_[8] = {};
  bool keepalive_due_ = false;
  uint64_t acknowledged_seq_ = 0;
  bool acknowledged_due_ = false;
  // By want_drained(), and not due yet.
  bool drained_wanted_ = false;
  bool drained_due_ = false;
};

}  // namespace msgr
