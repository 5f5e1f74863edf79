// A channel's receiving side: bytes in, records out.
#include <algorithm>

#include "core/base/check.h"
#include "core/channel/channel.h"
#include "core/wire/tag.h"

namespace msgr {

namespace {

int32_t low(uint64_t value) { return static_cast<int32_t>(value); }
int32_t high(uint64_t value) { return static_cast<int32_t>(value >> 32); }
int32_t pair(uint16_t in_low, uint16_t in_high) {
  return static_cast<int32_t>(uint32_t{in_low} | uint32_t{in_high} << 16);
}

}  // namespace

bool Channel::wants_input() const {
  return state_ == State::kSession || (state_ == State::kHandshake && expectation_ != Expectation::kNothing);
}

bool Channel::fail(const FrameFault& fault) {
  fault_ = fault;
  return false;
}

ReceiveResult Channel::received(Slab& slab, uint32_t offset, uint32_t size, RecordBatch& batch) {
  MSGR_CHECK(uint64_t{offset} + size <= slab.capacity());
  PresentBytes bytes;
  const ReceiveResult result = state_ == State::kSession ? receive_session(slab, offset, size, batch, bytes)
                                                         : receive_handshake(slab, offset, size, batch);
  add(counters_.bytes_received, result.consumed);
  return result;
}

ReceiveResult Channel::received(Slab& slab, uint32_t offset, uint32_t size, RecordBatch& batch, LateBytes& late) {
  MSGR_CHECK(uint64_t{offset} + size <= slab.capacity());
  MSGR_CHECK(state_ == State::kSession && !is_secure());
  if (reader_.latest_size() < LateBytes::kFrameBytesMin) {
    late.want_all();
    return received(slab, offset, size, batch);
  }
  const ReceiveResult result = receive_session(slab, offset, size, batch, late);
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
  switch (reader_.next(slab.data() + offset, size)) {
    case ReadStatus::kNeedMore:
      return {ReceiveStatus::kNeedMore, 0, static_cast<uint32_t>(reader_.needed())};
    case ReadStatus::kError:
      (void)fail(reader_.fault());
      return {ReceiveStatus::kFailed, 0, 0};
    case ReadStatus::kFrame:
      break;
  }
  const FrameView& frame = reader_.frame();
  Record& record = batch.append(RecordKind::kFrame, id_, generation_);
  record.type_and_priority = frame.tag;
  record.slab = batch.slab_index(slab);
  record.front_offset = static_cast<int32_t>(offset + frame.offsets[0]);
  record.front_length = static_cast<int32_t>(frame.sizes[0]);
  // Opened in place, it is no longer what was on the wire.
  if (reader_.mode() == StreamMode::kCrc) {
    record.data_offset = static_cast<int32_t>(offset);
    record.data_length = static_cast<int32_t>(frame.wire_size);
  }
  expectation_ = Expectation::kNothing;
  add(counters_.frames_received, 1);
  return {ReceiveStatus::kPulled, frame.wire_size, 0};
}

template <typename FrameBytes>
ReceiveResult Channel::receive_session(Slab& slab, uint32_t offset, uint32_t size, RecordBatch& batch,
                                       FrameBytes& given) {
  // Nobody else points to this one, so that it can be in registers.
  FrameBytes bytes = given;
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
    const ReadStatus read = reader_.next(base + at, end - at, bytes);
    if (read != ReadStatus::kFrame) {
      if (read == ReadStatus::kError) {
        (void)fail(reader_.fault());
        status = ReceiveStatus::kFailed;
      }
      break;
    }
    const FrameView& frame = reader_.frame();
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
        if (slab_index < 0) slab_index = batch.begin_run(slab);
        Record& record = batch.append_message(at);
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
  given = bytes;
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

}  // namespace msgr
