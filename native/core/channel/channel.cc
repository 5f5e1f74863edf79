// A channel's sockets, handshake and session. Receiving is in channel_receive.cc, sending in
// channel_send.cc, secure mode in channel_secure.cc.
#include "core/channel/channel.h"

#include <utility>

#include "core/base/check.h"

namespace msgr {

Channel::Channel(const ChannelContext& context, ChannelCounters& counters, uint32_t id)
    : context_(context), counters_(counters), id_(id), reader_(context.limits), outbox_(context.releases) {}

// The socket

void Channel::open() {
  drop_stream();
  state_ = State::kHandshake;
}

void Channel::close() {
  drop_stream();
  state_ = State::kIdle;
}

void Channel::drop_stream() {
  expectation_ = Expectation::kNothing;
  reader_.reset();
  tail_.clear();
  fault_ = {};
  sealer_.reset();
  sealed_.clear();
  unsealed_control_ = 0;
  control_ = {};
  control_written_ = 0;
  keepalive_due_ = false;
  outbox_.rewind();
  publish_send_counters();
}

void Channel::adopt(Channel& other) {
  MSGR_CHECK(&other != this && other.state_ == State::kHandshake);
  drop_stream();
  state_ = State::kHandshake;
  reader_ = std::move(other.reader_);
  sealer_ = std::move(other.sealer_);
  sealed_.swap(other.sealed_);
  unsealed_control_ = std::exchange(other.unsealed_control_, 0);
  tail_.swap(other.tail_);
  control_.swap(other.control_);
  control_written_ = std::exchange(other.control_written_, 0);
  publish_send_counters();
  other.close();
}

// The handshake

void Channel::expect_bytes(uint32_t count) {
  MSGR_CHECK(state_ == State::kHandshake && expectation_ == Expectation::kNothing && count > 0);
  expectation_ = Expectation::kBytes;
  expected_bytes_ = count;
}

void Channel::expect_frame() {
  MSGR_CHECK(state_ == State::kHandshake && expectation_ == Expectation::kNothing);
  expectation_ = Expectation::kFrame;
}

void Channel::send_bytes(Bytes bytes) {
  if (state_ == State::kIdle) return;
  control_.insert(control_.end(), bytes.begin(), bytes.end());
  publish_send_counters();
}

void Channel::send_control(uint8_t tag, Bytes payload) {
  if (state_ == State::kIdle) return;
  const size_t at = control_.size();
  control_.resize(at + control_frame_size(payload.size()));
  append_control_frame(control_.data() + at, tag, payload);
  add(counters_.frames_sent, 1);
  publish_send_counters();
}

void Channel::start_session(bool lossless, bool within_host) {
  MSGR_CHECK(state_ == State::kHandshake && expectation_ == Expectation::kNothing);
  state_ = State::kSession;
  lossless_ = lossless;
  within_host_ = within_host;
  reader_.set_in_session(true);
  outbox_.rewind();
  outbox_.set_keep_written(lossless);
  if (crcs_left_out_ && !sealer_) {
    outbox_.for_each_frame([](uint8_t* frame, const Lent* lent) {
      add_message_crcs(frame, lent != nullptr ? lent->front() : nullptr,
                       lent != nullptr ? lent->data() : nullptr);
    });
    crcs_left_out_ = false;
  }
  // The handshake has told the peer what had been received.
  told_in_seq_ = in_seq_;
  note_queue_level();
}

// The session

uint32_t Channel::append(const OutgoingMessage& message) {
  const uint64_t seq = ++out_seq_;
  uint8_t* frame = message.slab->data() + message.offset;
  const uint32_t slab_size = finish_message(frame, preamble_,
                                            {.seq = seq,
                                             .tid = message.tid,
                                             .ack_seq = in_seq_,
                                             .type = message.type,
                                             .priority = message.priority,
                                             .version = message.version,
                                             .compat_version = message.compat_version},
                                            message.sizes, message.lent_front, message.lent_data,
                                            sealer_ ? StreamMode::kSecure : StreamMode::kCrc);
  if (sealer_) crcs_left_out_ = true;
  if (message.lent_front == nullptr && message.lent_data == nullptr) [[likely]] {
    outbox_.push(seq, *message.slab, message.offset, slab_size);
  } else {
    Lent lent{};
    uint32_t at = kMessageGapOffset;
    if (message.lent_front != nullptr) {
      lent.has_front = true;
      lent.tokens[lent.count] = message.front_token;
      lent.pieces[lent.count++] = {message.lent_front, message.sizes.front, at};
    } else {
      at += message.sizes.front;
    }
    if (message.lent_data != nullptr) {
      at += message.sizes.middle;
      lent.tokens[lent.count] = message.data_token;
      lent.pieces[lent.count++] = {message.lent_data, message.sizes.data, at};
    }
    outbox_.push(seq, *message.slab, message.offset, slab_size, &lent);
  }
  told_in_seq_ = in_seq_;
  set(counters_.out_seq, seq);
  publish_send_counters();
  return slab_size;
}

uint32_t Channel::append_run(const SendRecord* records, uint32_t count, Slab& slab, uint32_t offset) {
  // Messages that are put into the outbox at a time.
  constexpr uint32_t kAtOnce = 64;
  uint32_t ends[kAtOnce];
  const StreamMode mode = sealer_ ? StreamMode::kSecure : StreamMode::kCrc;
  uint64_t seq = out_seq_;
  uint32_t end = offset;
  for (uint32_t done = 0; done < count;) {
    const uint32_t begin = end;
    const uint32_t some = std::min(count - done, kAtOnce);
    for (uint32_t i = 0; i < some; i++) {
      const SendRecord& record = records[done + i];
      end += finish_message(slab.data() + end, preamble_,
                            {.seq = ++seq,
                             .tid = record.tid(),
                             .ack_seq = in_seq_,
                             .type = static_cast<uint16_t>(record.type_and_priority),
                             .priority = static_cast<uint16_t>(record.type_and_priority >> 16),
                             .version = static_cast<uint16_t>(record.versions),
                             .compat_version = static_cast<uint16_t>(record.versions >> 16)},
                            record.sizes(), nullptr, nullptr, mode);
      ends[i] = end;
    }
    outbox_.push_run(seq - some + 1, slab, begin, ends, some);
    done += some;
  }
  if (sealer_) crcs_left_out_ = true;
  out_seq_ = seq;
  told_in_seq_ = in_seq_;
  set(counters_.out_seq, seq);
  publish_send_counters();
  return end - offset;
}

void Channel::acknowledge(uint64_t seq) {
  if (outbox_.acknowledge(seq) == 0) return;
  publish_send_counters();
  note_queue_level();
}

void Channel::take_new_ack(uint64_t seq) {
  if (outbox_.acknowledge(seq) == 0) return;
  acknowledged_seq_ = outbox_.count() > 0 ? outbox_.first_seq() - 1 : outbox_.written_seq();
  acknowledged_due_ = true;
}

void Channel::reset_in_seq() {
  // A frame that is half on the wire must stay as it is.
  MSGR_CHECK(outbox_.partial_rest() == 0);
  in_seq_ = 0;
  told_in_seq_ = 0;
  set(counters_.in_seq, 0);
  // In the new session that seq may stand for a message which the peer still has to send.
  outbox_.for_each_frame([](uint8_t* frame, const Lent*) { patch_message_ack_seq(frame, 0); });
}

void Channel::reset_session() {
  MSGR_CHECK(outbox_.partial_rest() == 0);
  outbox_.clear();
  crcs_left_out_ = false;
  out_seq_ = 0;
  in_seq_ = 0;
  told_in_seq_ = 0;
  acknowledged_seq_ = 0;
  acknowledged_due_ = false;
  set(counters_.in_seq, 0);
  set(counters_.out_seq, 0);
  publish_send_counters();
  note_queue_level();
}

}  // namespace msgr
