// What the core tells JavaScript: one line of 64 bytes per message or event, many to a batch.
// src/transport/message-batch.ts states the same layout; a test compares it with kRecordFields here.
//
// Which fields an event uses, all others being 0 (`kind`, `channel` and `generation` are always set):
//   kMessage       all of them
//   kBytes         slab, frontOffset, frontLength: the bytes asked for
//   kFrame         typeAndPriority: tag; slab, frontOffset, frontLength: payload (of a MESSAGE before the
//                  session: its header); dataOffset, dataLength: the whole frame (length 0 in session and
//                  in secure mode)
//   kAcknowledged  seqLow, seqHigh: the peer has all messages up to this one
//   kClosed        typeAndPriority: CloseReason in the low 16, tag in the high 16 bits;
//                  versions: errno or FrameError in the low 16, segment in the high 16 bits;
//                  tidLow, tidHigh: FrameFault::value; seqLow, seqHigh: FrameFault::expected
//   kOpened, kDrained, kAccepted, kDestroyed   what the I/O layer says of them
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/check.h"
#include "core/base/slab.h"
#include "core/wire/frame_error.h"

namespace msgr {

enum class RecordKind : int32_t {
  kMessage = 0,
  kOpened = 1,
  kBytes = 2,
  kFrame = 3,
  kDrained = 4,
  kAcknowledged = 5,
  kClosed = 6,
  kAccepted = 7,
  kDestroyed = 8,
};

enum class CloseReason : uint16_t { kPeerClosed = 0, kSystemError = 1, kBadFrame = 2 };

struct alignas(64) Record {
  int32_t kind;
  int32_t channel;
  int32_t generation;
  int32_t type_and_priority;
  int32_t versions;
  int32_t tid_low;
  int32_t tid_high;
  int32_t seq_low;
  int32_t seq_high;
  int32_t slab;
  int32_t front_offset;
  int32_t front_length;
  int32_t middle_offset;
  int32_t middle_length;
  int32_t data_offset;
  int32_t data_length;
};
static_assert(sizeof(Record) == 64);

struct NamedNumber {
  const char* name;
  int32_t value;
};

inline constexpr NamedNumber kRecordFields[] = {
    {"kind", 0},          {"channel", 1},       {"generation", 2},   {"typeAndPriority", 3},
    {"versions", 4},      {"tidLow", 5},        {"tidHigh", 6},      {"seqLow", 7},
    {"seqHigh", 8},       {"slab", 9},          {"frontOffset", 10}, {"frontLength", 11},
    {"middleOffset", 12}, {"middleLength", 13}, {"dataOffset", 14},  {"dataLength", 15},
};

inline constexpr NamedNumber kRecordKinds[] = {
    {"message", 0},      {"opened", 1}, {"bytes", 2},    {"frame", 3},     {"drained", 4},
    {"acknowledged", 5}, {"closed", 6}, {"accepted", 7}, {"destroyed", 8},
};

inline constexpr NamedNumber kCloseReasons[] = {{"peerClosed", 0}, {"systemError", 1}, {"badFrame", 2}};

// The records of one loop turn and the slabs that they point into. It holds a reference on each slab
// until clear(). The memory of the records is the caller's and is what JavaScript sees.
class RecordBatch {
 public:
  RecordBatch(Record* records, uint32_t capacity) : records_(records), capacity_(capacity) {}

  [[nodiscard]] bool full() const { return count_ == capacity_; }
  [[nodiscard]] uint32_t count() const { return count_; }
  [[nodiscard]] const Record* records() const { return records_; }
  [[nodiscard]] const std::vector<SlabRef>& slabs() const { return slabs_; }

  // A record of zeros but for these three. Must not be full.
  Record& append(RecordKind kind, uint32_t channel, uint32_t generation) {
    Record& record = append_raw();
    record = Record{};
    record.kind = static_cast<int32_t>(kind);
    record.channel = static_cast<int32_t>(channel);
    record.generation = static_cast<int32_t>(generation);
    return record;
  }
  // A record with whatever its memory holds; the caller writes all 16 fields. Must not be full.
  Record& append_raw() {
    MSGR_CHECK(count_ < capacity_);
    return records_[count_++];
  }
  void append_closed(uint32_t channel, uint32_t generation, CloseReason reason, int error,
                     const FrameFault& fault = {}) {
    Record& record = append(RecordKind::kClosed, channel, generation);
    record.type_and_priority =
        static_cast<int32_t>(static_cast<uint32_t>(reason) | uint32_t{fault.tag} << 16);
    const auto code = reason == CloseReason::kBadFrame ? static_cast<uint32_t>(fault.error)
                                                       : static_cast<uint32_t>(error) & 0xffff;
    record.versions = static_cast<int32_t>(code | uint32_t{fault.segment} << 16);
    record.tid_low = static_cast<int32_t>(fault.value);
    record.tid_high = static_cast<int32_t>(fault.value >> 32);
    record.seq_low = static_cast<int32_t>(fault.expected);
    record.seq_high = static_cast<int32_t>(fault.expected >> 32);
  }

  // The index of `slab` in this batch, which holds a reference from then on.
  [[nodiscard]] int32_t slab_index(Slab& slab) {
    for (size_t i = slabs_.size(); i > 0; i--) {
      if (slabs_[i - 1].get() == &slab) return static_cast<int32_t>(i - 1);
    }
    slabs_.emplace_back(slab);
    return static_cast<int32_t>(slabs_.size() - 1);
  }

  // Room for so many slabs without an allocation.
  void reserve_slabs(size_t count) { slabs_.reserve(count); }

  // Forgets the records and releases the slabs.
  void clear() {
    count_ = 0;
    slabs_.clear();
  }

 private:
  Record* records_;
  uint32_t capacity_;
  uint32_t count_ = 0;
  std::vector<SlabRef> slabs_;
};

}  // namespace msgr
