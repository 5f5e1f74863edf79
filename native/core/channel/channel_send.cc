// A channel's sending side: control bytes and the outbox in, iovecs out.
#include <algorithm>

#include "core/base/check.h"
#include "core/channel/channel.h"
#include "core/wire/tag.h"

namespace msgr {

namespace {

// Memory for control bytes that an idle channel may keep.
constexpr size_t kControlCapacityIdleMax = 1024;
// Written control bytes are cut off once they are so many.
constexpr size_t kControlWrittenMax = 16 * 1024;

}  // namespace

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
  if (control_written_ < control_.size() || keepalive_due_ || !sealed_.empty()) return true;
  return state_ == State::kSession && (outbox_.waiting_bytes() > 0 || (lossless_ && told_in_seq_ != in_seq_));
}

size_t Channel::gather(iovec* to, size_t count_max, size_t bytes_max) {
  if (state_ == State::kIdle || failed()) return 0;
  queue_due_control();
  if (!sealer_) [[likely]]
    return gather_plain(to, count_max, bytes_max);
  if (unsealed_control_ == 0) return gather_sealed(to, count_max, bytes_max);
  to[0] = {control_.data() + control_written_, unsealed_control_};
  return 1;
}

void Channel::wrote(size_t size) {
  add(counters_.bytes_sent, size);
  if (!sealer_ || unsealed_control_ > 0) [[likely]] {
    if (sealer_) unsealed_control_ -= size;
    took_plain(size);
    return;
  }
  sealed_.wrote(size);
  publish_send_counters();
  note_queue_level();
}

// The order of what it gives is, until took_plain() has been called, a function of what is there: the rest
// of a partly taken message, control bytes, messages.
size_t Channel::gather_plain(iovec* to, size_t count_max, size_t bytes_max) {
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

// `size` bytes of it are on the socket, or sealed for it.
void Channel::took_plain(size_t size) {
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
  return outbox_.waiting_bytes() + control_.size() - control_written_ + sealed_.size();
}

uint64_t Channel::backlog_bytes() const {
  if (!within_host_ || !lossless_) return queued_bytes();
  const uint64_t unread = outbox_.bytes() - outbox_.waiting_bytes();
  return queued_bytes() + unread - std::min(unread, context_.limits.unread_within_host_bytes_max);
}

void Channel::publish_send_counters() {
  set(counters_.queued_bytes, queued_bytes());
  set(counters_.backlog_bytes, backlog_bytes());
  set(counters_.unacked_bytes, outbox_.bytes());
  set(counters_.outbox_count, outbox_.count());
}

void Channel::want_drained() {
  drained_wanted_ = true;
  note_queue_level();
}

void Channel::note_queue_level() {
  if (!drained_wanted_ || backlog_bytes() >= context_.limits.channel_queue_bytes_max / 2) return;
  drained_wanted_ = false;
  drained_due_ = true;
}

}  // namespace msgr
