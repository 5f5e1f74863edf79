#include "core/channel/channel.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/wire/tag.h"

namespace msgr {

namespace {

constexpr size_t kAckPayloadSize = 8;
constexpr size_t kKeepalivePayloadSize = 8;
// Memory for control bytes that an idle channel may keep.
constexpr size_t kControlCapacityIdleMax = 1024;
// Written control bytes are cut off once they are so many.
constexpr size_t kControlWrittenMax = 16 * 1024;

int32_t low(uint64_t value) { return static_cast<int32_t>(value); }
int32_t high(uint64_t value) { return static_cast<int32_t>(value >> 32); }
int32_t pair(uint16_t in_low, uint16_t in_high) {
  return static_cast<int32_t>(uint32_t{in_low} | uint32_t{in_high} << 16);
}

}  // namespace

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
  reader_ = other.reader_;
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

void Channel::start_session(bool lossless) {
  MSGR_CHECK(state_ == State::kHandshake && expectation_ == Expectation::kNothing);
  state_ = State::kSession;
  lossless_ = lossless;
  reader_.set_in_session(true);
  outbox_.rewind();
  outbox_.set_keep_written(lossless);
  // The handshake has told the peer what had been received.
  told_in_seq_ = in_seq_;
  note_queue_level();
}

// The session

uint32_t Channel::append(const OutgoingMessage& message) {
  const uint64_t seq = ++out_seq_;
  uint8_t* frame = message.slab->data() + message.offset;
  const uint32_t slab_size = finish_message(frame,
                                            {.seq = seq,
                                             .tid = message.tid,
                                             .ack_seq = in_seq_,
                                             .type = message.type,
                                             .priority = message.priority,
                                             .version = message.version,
                                             .compat_version = message.compat_version},
                                            message.sizes, message.lent_front, message.lent_data);
  if (message.lent_front == nullptr && message.lent_data == nullptr) [[likely]] {
    outbox_.push(seq, *message.slab, message.offset, slab_size);
  } else {
    Lent lent{};
    uint32_t at = kMessageGapOffset;
    if (message.lent_front != nullptr) {
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
  if (queued_bytes() >= context_.limits.channel_queue_bytes_max) was_full_ = true;
  return slab_size;
}

void Channel::acknowledge(uint64_t seq) {
  if (outbox_.acknowledge(seq) == 0) return;
  publish_send_counters();
  note_queue_level();
}

void Channel::take_ack(uint64_t seq) {
  if (seq <= acknowledged_seq_ || outbox_.acknowledge(seq) == 0) return;
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
  outbox_.for_each_frame([](uint8_t* frame) { patch_message_ack_seq(frame, 0); });
}

void Channel::reset_session() {
  MSGR_CHECK(outbox_.partial_rest() == 0);
  outbox_.clear();
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

// Receiving

bool Channel::wants_input() const {
  return state_ == State::kSession || (state_ == State::kHandshake && expectation_ != Expectation::kNothing);
}

bool Channel::fail(const FrameFault& fault) {
  fault_ = fault;
  return false;
}

ReceiveResult Channel::received(Slab& slab, uint32_t offset, uint32_t size, RecordBatch& batch) {
  MSGR_CHECK(uint64_t{offset} + size <= slab.capacity());
  const ReceiveResult result = state_ == State::kSession ? receive_session(slab, offset, size, batch)
                                                         : receive_handshake(slab, offset, size, batch);
  add(counters_.bytes_received, result.consumed);
  return result;
}

ReceiveResult Channel::receive_handshake(Slab& slab, uint32_t offset, uint32_t size, RecordBatch& batch) {
  if (!wants_input()) return {ReceiveStatus::kPulled, 0, 0};
  if (batch.full()) return {ReceiveStatus::kBatchFull, 0, 0};
  if (expectation_ == Expectation::kBytes) {
    if (size < expected_bytes_) return {ReceiveStatus::kNeedMore, 0, expected_bytes_};
    Record& record = batch.append(RecordKind::kBytes, id_, generation_);
    record.slab = batch.slab_index(slab);
    record.front_offset = static_cast<int32_t>(offset);
    record.front_length = static_cast<int32_t>(expected_bytes_);
    expectation_ = Expectation::kNothing;
    return {ReceiveStatus::kPulled, expected_bytes_, 0};
  }
  FrameView frame;
  switch (reader_.next(slab.data() + offset, size, frame)) {
    case ReadStatus::kNeedMore:
      return {ReceiveStatus::kNeedMore, 0, static_cast<uint32_t>(reader_.needed())};
    case ReadStatus::kError:
      (void)fail(reader_.fault());
      return {ReceiveStatus::kFailed, 0, 0};
    case ReadStatus::kFrame:
      break;
  }
  Record& record = batch.append(RecordKind::kFrame, id_, generation_);
  record.type_and_priority = frame.tag;
  record.slab = batch.slab_index(slab);
  record.front_offset = static_cast<int32_t>(offset + frame.offsets[0]);
  record.front_length = static_cast<int32_t>(frame.sizes[0]);
  record.data_offset = static_cast<int32_t>(offset);
  record.data_length = static_cast<int32_t>(frame.wire_size);
  expectation_ = Expectation::kNothing;
  add(counters_.frames_received, 1);
  return {ReceiveStatus::kPulled, frame.wire_size, 0};
}

ReceiveResult Channel::receive_session(Slab& slab, uint32_t offset, uint32_t size, RecordBatch& batch) {
  uint8_t* const base = slab.data();
  uint32_t at = offset;
  const uint32_t end = offset + size;
  int32_t slab_index = -1;
  uint64_t frames = 0;
  uint64_t messages = 0;
  uint64_t duplicates = 0;
  auto status = ReceiveStatus::kNeedMore;
  while (at < end) {
    if (batch.full()) [[unlikely]] {
      status = ReceiveStatus::kBatchFull;
      break;
    }
    FrameView frame;
    const ReadStatus read = reader_.next(base + at, end - at, frame);
    if (read != ReadStatus::kFrame) {
      if (read == ReadStatus::kError) {
        (void)fail(reader_.fault());
        status = ReceiveStatus::kFailed;
      }
      break;
    }
    frames++;
    if (frame.tag != static_cast<uint8_t>(Tag::kMessage)) [[unlikely]] {
      if (!take_control_frame(frame, slab, at, batch)) {
        status = ReceiveStatus::kFailed;
        break;
      }
      at += frame.wire_size;
      continue;
    }
    if (!frame.aborted) [[likely]] {
      const MessageHeader header = parse_message_header(base + at + frame.offsets[0]);
      if (lossless_) take_ack(header.ack_seq);
      // Gaps are the peer's affair, as with Ceph: the sequence goes on from where it says.
      if (header.seq <= in_seq_) [[unlikely]] {
        duplicates++;
      } else {
        in_seq_ = header.seq;
        messages++;
        if (slab_index < 0) slab_index = batch.slab_index(slab);
        Record& record = batch.append_raw();
        record.kind = static_cast<int32_t>(RecordKind::kMessage);
        record.channel = static_cast<int32_t>(id_);
        record.generation = static_cast<int32_t>(generation_);
        record.type_and_priority = pair(header.type, header.priority);
        record.versions = pair(header.version, header.compat_version);
        record.tid_low = low(header.tid);
        record.tid_high = high(header.tid);
        record.seq_low = low(header.seq);
        record.seq_high = high(header.seq);
        record.slab = slab_index;
        record.front_offset = static_cast<int32_t>(at + frame.offsets[1]);
        record.front_length = static_cast<int32_t>(frame.sizes[1]);
        record.middle_offset = static_cast<int32_t>(at + frame.offsets[2]);
        record.middle_length = static_cast<int32_t>(frame.sizes[2]);
        record.data_offset = static_cast<int32_t>(at + frame.offsets[3]);
        record.data_length = static_cast<int32_t>(frame.sizes[3]);
      }
    }
    at += frame.wire_size;
  }
  add(counters_.frames_received, frames);
  add(counters_.messages_received, messages);
  if (duplicates > 0) add(counters_.duplicates_dropped, duplicates);
  set(counters_.in_seq, in_seq_);
  if (acknowledged_due_) {
    publish_send_counters();
    note_queue_level();
  }
  return {status, at - offset, static_cast<uint32_t>(reader_.needed())};
}

bool Channel::take_control_frame(const FrameView& frame, Slab& slab, uint32_t offset, RecordBatch& batch) {
  const uint8_t* payload = slab.data() + offset + frame.offsets[0];
  const uint32_t size = frame.sizes[0];
  switch (static_cast<Tag>(frame.tag)) {
    case Tag::kAck:
      if (size != kAckPayloadSize) {
        return fail({FrameError::kAckSize, frame.tag, 0, size, kAckPayloadSize});
      }
      if (lossless_) take_ack(load_u64(payload));
      return true;
    case Tag::kKeepalive2:
      if (size != kKeepalivePayloadSize) {
        return fail({FrameError::kKeepaliveSize, frame.tag, 0, size, kKeepalivePayloadSize});
      }
      echo_keepalive(payload);
      return true;
    default: {
      Record& record = batch.append(RecordKind::kFrame, id_, generation_);
      record.type_and_priority = frame.tag;
      record.slab = batch.slab_index(slab);
      record.front_offset = static_cast<int32_t>(offset + frame.offsets[0]);
      record.front_length = static_cast<int32_t>(size);
      return true;
    }
  }
}

bool Channel::keep_tail(const Slab& slab, uint32_t offset, uint32_t size) {
  // Unless the frame has begun, nothing is known of what follows; the bytes are then kept as they are.
  const size_t needed = reader_.in_frame() ? reader_.needed() : 0;
  if (tail_.keep({slab.data() + offset, size}, needed, context_.pool)) return true;
  return fail({FrameError::kNoMemory, 0, 0, std::max<uint64_t>(needed, size), 0});
}

bool Channel::flush_events(RecordBatch& batch) {
  if (acknowledged_due_) {
    if (batch.full()) return false;
    Record& record = batch.append(RecordKind::kAcknowledged, id_, generation_);
    record.seq_low = low(acknowledged_seq_);
    record.seq_high = high(acknowledged_seq_);
    acknowledged_due_ = false;
  }
  if (drained_due_) {
    if (batch.full()) return false;
    batch.append(RecordKind::kDrained, id_, generation_);
    drained_due_ = false;
  }
  return true;
}

// Sending

void Channel::echo_keepalive(const uint8_t* stamp) {
  // A peer that sends keepalives and never reads the echoes gets the newest one when it reads again;
  // it does not get our memory.
  if (control_.size() - control_written_ >= context_.limits.control_payload_bytes_max) {
    std::copy_n(stamp, sizeof keepalive_stamp_, keepalive_stamp_);
    keepalive_due_ = true;
    return;
  }
  send_control(static_cast<uint8_t>(Tag::kKeepalive2Ack), {stamp, kKeepalivePayloadSize});
}

void Channel::queue_due_control() {
  if (control_.size() - control_written_ >= context_.limits.control_payload_bytes_max) return;
  if (keepalive_due_) {
    keepalive_due_ = false;
    send_control(static_cast<uint8_t>(Tag::kKeepalive2Ack), keepalive_stamp_);
  }
  if (state_ == State::kSession && lossless_ && told_in_seq_ != in_seq_) {
    told_in_seq_ = in_seq_;
    uint8_t payload[kAckPayloadSize];
    store_u64(payload, in_seq_);
    send_control(static_cast<uint8_t>(Tag::kAck), payload);
  }
}

bool Channel::wants_output() const {
  if (state_ == State::kIdle) return false;
  if (control_written_ < control_.size() || keepalive_due_) return true;
  return state_ == State::kSession && (outbox_.waiting_bytes() > 0 || (lossless_ && told_in_seq_ != in_seq_));
}

// The order of what gather() gives is, until wrote() has been called, a function of what is there:
// the rest of a partly written message, control bytes, messages.
size_t Channel::gather(iovec* to, size_t count_max, size_t bytes_max) {
  if (state_ == State::kIdle) return 0;
  queue_due_control();
  size_t count = 0;
  size_t bytes = 0;
  const size_t control_size = control_.size() - control_written_;
  if (control_size == 0) {
    return state_ == State::kSession ? outbox_.gather(to, count_max, bytes_max, bytes) : 0;
  }
  const uint32_t partial = outbox_.partial_rest();
  if (partial > 0) {
    count = outbox_.gather_partial(to, count_max, bytes);
  }
  // With all iovecs used the frame's rest may not have found room: nothing may come behind it then.
  if (bytes >= bytes_max || count == count_max) return count;
  to[count++] = {control_.data() + control_written_, control_size};
  bytes += control_size;
  if (state_ == State::kSession) {
    count += outbox_.gather(to + count, count_max - count, bytes_max, bytes, partial > 0);
  }
  return count;
}

void Channel::wrote(size_t size) {
  add(counters_.bytes_sent, size);
  const uint64_t replayed_before = outbox_.replayed_count();
  size_t finished = 0;
  const size_t control_size = control_.size() - control_written_;
  if (control_size > 0) {
    const size_t partial = std::min<size_t>(size, outbox_.partial_rest());
    if (partial > 0) {
      finished += outbox_.wrote(partial);
      size -= partial;
    }
    const size_t control = std::min(size, control_size);
    control_written_ += control;
    size -= control;
    if (control_written_ == control_.size()) {
      control_.clear();
      control_written_ = 0;
      if (control_.capacity() > kControlCapacityIdleMax) control_.shrink_to_fit();
    } else if (control_written_ >= kControlWrittenMax) {
      control_.erase(control_.begin(), control_.begin() + static_cast<ptrdiff_t>(control_written_));
      control_written_ = 0;
    }
  }
  if (size > 0) finished += outbox_.wrote(size);
  if (finished > 0) {
    const uint64_t replayed = outbox_.replayed_count() - replayed_before;
    add(counters_.frames_sent, finished);
    add(counters_.messages_sent, finished - replayed);
    if (replayed > 0) add(counters_.messages_replayed, replayed);
  }
  publish_send_counters();
  note_queue_level();
}

uint64_t Channel::queued_bytes() const {
  return outbox_.waiting_bytes() + control_.size() - control_written_;
}

void Channel::publish_send_counters() {
  set(counters_.queued_bytes, queued_bytes());
  set(counters_.unacked_bytes, outbox_.bytes());
  set(counters_.outbox_count, outbox_.count());
}

void Channel::note_queue_level() {
  const uint64_t queued = queued_bytes();
  if (queued >= context_.limits.channel_queue_bytes_max) {
    was_full_ = true;
  } else if (was_full_ && queued < context_.limits.channel_queue_bytes_max / 2) {
    was_full_ = false;
    drained_due_ = true;
  }
}

}  // namespace msgr
