// What tests, fuzzers and benches of the core share: small limits, a seeded source of numbers, frames
// made by hand, and a channel with everything around it that the I/O layer would give.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/channel/channel.h"
#include "core/wire/crc32c.h"
#include "core/wire/epilogue.h"
#include "core/wire/frame_reader.h"
#include "core/wire/frame_writer.h"
#include "core/wire/tag.h"

namespace msgr::test {

using Buffer = std::vector<uint8_t>;

// Smaller than those of src/limits.ts, so that tests reach them; the ratios are the same.
inline Limits small_limits() {
  Limits limits;
  limits.control_payload_bytes_max = 4096;
  limits.message_bytes_max = 512 * 1024;
  limits.lend_bytes_min = 4096;
  limits.slab_bytes = 64 * 1024;
  limits.receive_turn_bytes_max = 64 * 1024;
  limits.channel_queue_bytes_max = 32 * 1024;
  limits.unread_within_host_bytes_max = 48 * 1024;
  return limits;
}

// splitmix64.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t value = (state_ += 0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
  }
  // 0 … bound - 1.
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(next() % bound); }
  void fill(std::span<uint8_t> bytes) {
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(next());
  }
  Buffer bytes(size_t size) {
    Buffer buffer(size);
    fill(buffer);
    return buffer;
  }

 private:
  uint64_t state_;
};

inline void append_bytes(Buffer& to, std::span<const uint8_t> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

inline Buffer message_frame(const MessageHeader& header, Bytes front, Bytes middle = {}, Bytes data = {}) {
  const MessageSizes sizes{static_cast<uint32_t>(front.size()), static_cast<uint32_t>(middle.size()),
                           static_cast<uint32_t>(data.size())};
  Buffer frame(message_frame_size(sizes));
  uint8_t* gap = frame.data() + kMessageGapOffset;
  gap = std::copy(front.begin(), front.end(), gap);
  gap = std::copy(middle.begin(), middle.end(), gap);
  std::copy(data.begin(), data.end(), gap);
  MessagePreamble preamble;
  finish_message(frame.data(), preamble, header, sizes);
  return frame;
}

inline Buffer control_frame(uint8_t tag, Bytes payload) {
  Buffer frame(control_frame_size(payload.size()));
  append_control_frame(frame.data(), tag, payload);
  return frame;
}
inline Buffer control_frame(Tag tag, Bytes payload) {
  return control_frame(static_cast<uint8_t>(tag), payload);
}

inline Buffer ack_frame(uint64_t seq) {
  uint8_t payload[8];
  store_u64(payload, seq);
  return control_frame(Tag::kAck, payload);
}

// Makes the preamble's CRC right again after a field of it was changed.
inline void reseal_preamble(Buffer& frame) { store_u32(frame.data() + 28, crc32c(0, frame.data(), 28)); }

// An event as a test looks at it, its bytes copied out of the slab.
struct Event {
  RecordKind kind;
  Record record;
  Buffer front;
  Buffer middle;
  Buffer data;

  [[nodiscard]] uint64_t seq() const {
    return static_cast<uint32_t>(record.seq_low) | uint64_t{static_cast<uint32_t>(record.seq_high)} << 32;
  }
  [[nodiscard]] uint64_t tid() const {
    return static_cast<uint32_t>(record.tid_low) | uint64_t{static_cast<uint32_t>(record.tid_high)} << 32;
  }
  [[nodiscard]] uint16_t tag() const { return static_cast<uint16_t>(record.type_and_priority); }
};

inline SendRecord record_of(const OutgoingMessage& message) {
  return {.channel = 0,
          .type_and_priority = uint32_t{message.type} | uint32_t{message.priority} << 16,
          .versions = uint32_t{message.version} | uint32_t{message.compat_version} << 16,
          .tid_low = static_cast<uint32_t>(message.tid),
          .tid_high = static_cast<uint32_t>(message.tid >> 32),
          .front_length = message.sizes.front,
          .middle_length = message.sizes.middle,
          .data_length = message.sizes.data};
}

// One channel, and around it what a loop does: a receive slab, a batch, send slabs. `on_pulled` is
// called after each answer that the handshake asked for, to ask for the next.
class Endpoint {
 public:
  explicit Endpoint(const Limits& limits = small_limits(), uint32_t batch_capacity = 64)
      : limits_(limits),
        pool_(SlabPool::create(limits_.slab_bytes, 4 * limits_.slab_bytes)),
        context_{limits_, *pool_, releases},
        table_(batch_capacity),
        places_(batch_capacity),
        batch_(table_.data(), places_.data(), batch_capacity),
        channel_(std::make_unique<Channel>(context_, counters, 7)) {
    channel_->set_generation(1);
    batch_.reserve_slabs(8);
  }
  ~Endpoint() {
    channel_.reset();
    batch_.clear();
    receive_slab_ = {};
    send_slab_ = {};
    pool_->close();
  }

  Channel& channel() { return *channel_; }
  void destroy_channel() { channel_.reset(); }
  SlabPool& pool() { return *pool_; }
  const Limits& limits() const { return limits_; }

  void open_session(bool lossless) {
    channel_->open();
    channel_->start_session(lossless);
  }

  // Sends a message as TypeScript does: payload into the gap, or lent when it is long.
  void send(uint64_t tid, Bytes front, Bytes middle = {}, Bytes data = {}, uint64_t front_token = 0,
            uint64_t data_token = 0) {
    OutgoingMessage message{};
    message.type = 70;
    message.priority = 127;
    message.version = 5;
    message.compat_version = 4;
    message.tid = tid;
    message.sizes = {static_cast<uint32_t>(front.size()), static_cast<uint32_t>(middle.size()),
                     static_cast<uint32_t>(data.size())};
    uint64_t size = message_frame_size(message.sizes);
    if (front.size() >= limits_.lend_bytes_min) {
      message.lent_front = front.data();
      message.front_token = front_token;
      size -= front.size();
    }
    if (data.size() >= limits_.lend_bytes_min) {
      message.lent_data = data.data();
      message.data_token = data_token;
      size -= data.size();
    }
    if (!send_slab_ || send_slab_->capacity() - send_slab_->used < size) send_slab_ = pool_->take();
    message.slab = send_slab_.get();
    message.offset = send_slab_->used;
    send_slab_->used += static_cast<uint32_t>(size);
    uint8_t* gap = send_slab_->data() + message.offset + kMessageGapOffset;
    if (message.lent_front == nullptr) gap = std::copy(front.begin(), front.end(), gap);
    gap = std::copy(middle.begin(), middle.end(), gap);
    if (message.lent_data == nullptr) std::copy(data.begin(), data.end(), gap);
    if (message.lent_front != nullptr || message.lent_data != nullptr) {
      channel_->append(message);
      return;
    }
    const SendRecord record = record_of(message);
    [[maybe_unused]] const uint32_t framed = channel_->append_run(&record, 1, *send_slab_, message.offset);
    MSGR_CHECK(framed == size);
  }

  // `count` messages whose frames lie one behind the other, as one run. The front of each is its tid, in one byte.
  void send_run(uint32_t count) {
    OutgoingMessage message{};
    message.type = 70;
    message.priority = 127;
    message.version = 5;
    message.compat_version = 4;
    message.sizes = {1, 0, 0};
    const auto size = static_cast<uint32_t>(message_frame_size(message.sizes));
    send_slab_ = pool_->take();
    std::vector<SendRecord> records;
    for (uint32_t i = 0; i < count; i++) {
      message.tid = i;
      records.push_back(record_of(message));
      send_slab_->data()[i * size + kMessageGapOffset] = static_cast<uint8_t>(i);
    }
    send_slab_->used = count * size;
    [[maybe_unused]] const uint32_t framed = channel_->append_run(records.data(), count, *send_slab_, 0);
    MSGR_CHECK(framed == count * size);
  }

  // Takes up to `size` bytes from the channel, as a socket would.
  Buffer take_output(size_t size = SIZE_MAX, size_t iovec_max = 64) {
    Buffer output;
    iovec vectors[64];
    while (output.size() < size && channel_->wants_output()) {
      const size_t count = channel_->gather(vectors, std::min<size_t>(iovec_max, 64), 256 * 1024);
      size_t taken = 0;
      for (size_t i = 0; i < count; i++) {
        const size_t part = std::min(vectors[i].iov_len, size - output.size());
        const auto* bytes = static_cast<const uint8_t*>(vectors[i].iov_base);
        output.insert(output.end(), bytes, bytes + part);
        taken += part;
      }
      if (taken == 0) break;
      channel_->wrote(taken);
    }
    return output;
  }

  // Gives bytes to the channel as the loop would. False once the channel has failed.
  bool deliver(Bytes chunk) {
    while (!failed_ && channel_->wants_input() && !chunk.empty()) {
      StreamTail& tail = channel_->tail();
      if (tail.large()) {
        const size_t size = std::min(chunk.size(), tail.room().size());
        std::copy_n(chunk.begin(), size, tail.room().begin());
        tail.filled(size);
        chunk = chunk.subspan(size);
        if (!tail.room().empty()) continue;
        const SlabRef own = tail.take();
        process(*own, 0, own->used);
        continue;
      }
      const size_t kept = take_receive_slab(chunk.size());
      const size_t size = std::min(chunk.size(), receive_slab_->capacity() - kept);
      std::copy_n(chunk.begin(), size, receive_slab_->data() + kept);
      chunk = chunk.subspan(size);
      process(*receive_slab_, 0, static_cast<uint32_t>(kept + size));
    }
    // Nobody asked for these: a loop would not have read them yet.
    append_bytes(unread_, chunk);
    return !failed_;
  }
  // After the handshake has asked again: what lies in the tail, then what had not been read.
  void resume() {
    if (failed_ || !channel_->wants_input()) return;
    if (!channel_->tail().empty() && !channel_->tail().large()) {
      const size_t kept = take_receive_slab(0);
      process(*receive_slab_, 0, static_cast<uint32_t>(kept));
    }
    Buffer unread;
    unread.swap(unread_);
    deliver(unread);
  }

  // Ends a turn: the events that come due, into `events`.
  void end_turn() {
    while (!channel_->flush_events(batch_)) collect();
    collect();
  }
  void collect() {
    for (uint32_t i = 0; i < batch_.count(); i++) {
      const Record& record = batch_.record(i);
      if (count_only) {
        event_count++;
        continue;
      }
      Event event{static_cast<RecordKind>(record.kind), record, {}, {}, {}};
      if (event.kind == RecordKind::kMessage || event.kind == RecordKind::kBytes ||
          event.kind == RecordKind::kFrame) {
        const Slab& slab = *batch_.slabs()[static_cast<size_t>(record.slab)];
        if (event.kind == RecordKind::kMessage) {
          // Over its own frame's header, and nothing else.
          const auto* begin = reinterpret_cast<const uint8_t*>(&record);
          MSGR_CHECK(begin >= slab.data() && begin + sizeof record <= slab.data() + record.front_offset);
        }
        const auto copy = [&](int32_t offset, int32_t length) {
          return Buffer(slab.data() + offset, slab.data() + offset + length);
        };
        event.front = copy(record.front_offset, record.front_length);
        event.middle = copy(record.middle_offset, record.middle_length);
        event.data = copy(record.data_offset, record.data_length);
      }
      events.push_back(std::move(event));
    }
    batch_.clear();
  }

  [[nodiscard]] bool failed() const { return failed_; }
  void clear_failure() { failed_ = false; }
  void drop_unread() { unread_.clear(); }
  RecordBatch& batch() { return batch_; }

  std::vector<Event> events;
  std::function<void()> on_pulled;
  // Counts the events in `event_count` and keeps none, for tests that allow no allocation.
  bool count_only = false;
  uint64_t event_count = 0;
  LentReleases releases;
  ChannelCounters counters;

 private:
  size_t take_receive_slab(size_t) {
    if (!receive_slab_ || !receive_slab_->unique()) receive_slab_ = pool_->take();
    return channel_->tail().move_to(receive_slab_->data());
  }
  void process(Slab& slab, uint32_t offset, uint32_t size) {
    while (true) {
      const ReceiveResult result = channel_->received(slab, offset, size, batch_);
      offset += result.consumed;
      size -= result.consumed;
      switch (result.status) {
        case ReceiveStatus::kBatchFull:
          collect();
          continue;
        case ReceiveStatus::kPulled:
          collect();
          if (on_pulled) on_pulled();
          if (channel_->wants_input()) continue;
          break;
        case ReceiveStatus::kNeedMore:
          break;
        case ReceiveStatus::kFailed:
          failed_ = true;
          break;
      }
      break;
    }
    if (!failed_ && size > 0 && channel_->state() != Channel::State::kIdle) {
      if (!channel_->keep_tail(slab, offset, size)) failed_ = true;
    }
    collect();
  }

  const Limits limits_;
  SlabPool* pool_;
  ChannelContext context_;
  std::vector<Record> table_;
  std::vector<RecordPlace> places_;
  RecordBatch batch_;
  std::unique_ptr<Channel> channel_;
  SlabRef receive_slab_;
  SlabRef send_slab_;
  Buffer unread_;
  bool failed_ = false;
};

}  // namespace msgr::test
