// What the core tells JavaScript: one record of 64 bytes per message or event, many to a batch.
// src/transport/message-batch.ts states the same layout; a test compares it with kRecordFields here.
//
// An event's record lies in the batch's table. That of a message lies in the slab, over the preamble and
// header of its own frame, which have been read: it lives as long as the payload behind it, and takes no
// memory and no cache line of its own.
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
//   kOpened, kDrained, kAccepted, kDestroyed, kBusy   what the I/O layer says of them
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "core/base/check.h"
#include "core/base/slab.h"
#include "core/wire/frame_error.h"
#include "core/wire/message_header.h"
#include "core/wire/preamble.h"

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
  kBusy = 9,
};

enum class CloseReason : uint16_t { kPeerClosed = 0, kSystemError = 1, kBadFrame = 2 };

struct Record {
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

// Where a record of a batch lies.
struct RecordPlace {
  // Low 16 bits: 0 for the batch's table, n for its slab n - 1. Above them the number of the run: messages in
  // a row with the same source are of one channel and one of its sockets.
  int32_t source;
  // Of the record's first field, counted in i32 from the beginning of that memory.
  int32_t word;
};
inline constexpr uint32_t kSourceBits = 16;
inline constexpr uint32_t kBatchRecordsMax = (uint32_t{1} << kSourceBits) - 2;

// A record fits between any frame's first byte and its payload, wherever the frame begins.
static_assert(sizeof(Record) + alignof(Record) - 1 <= kPreambleSize + kMessageHeaderSize);

[[nodiscard]] inline Record closed_record(uint32_t channel, uint32_t generation, CloseReason reason, int error,
                                          const FrameFault& fault = {}) {
  const auto code = reason == CloseReason::kBadFrame ? static_cast<uint32_t>(fault.error)
                                                     : static_cast<uint32_t>(error) & 0xffff;
  Record record{};
  record.kind = static_cast<int32_t>(RecordKind::kClosed);
  record.channel = static_cast<int32_t>(channel);
  record.generation = static_cast<int32_t>(generation);
  record.type_and_priority =
      static_cast<int32_t>(static_cast<uint32_t>(reason) | uint32_t{fault.tag} << 16);
  record.versions = static_cast<int32_t>(code | uint32_t{fault.segment} << 16);
  record.tid_low = static_cast<int32_t>(fault.value);
  record.tid_high = static_cast<int32_t>(fault.value >> 32);
  record.seq_low = static_cast<int32_t>(fault.expected);
  record.seq_high = static_cast<int32_t>(fault.expected >> 32);
  return record;
}

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
    {"acknowledged", 5}, {"closed", 6}, {"accepted", 7}, {"destroyed", 8}, {"busy", 9},
};

inline constexpr NamedNumber kCloseReasons[] = {{"peerClosed", 0}, {"systemError", 1}, {"badFrame", 2}};

// The records of one loop turn and the slabs that they point into. It holds a reference on each slab until
// clear(). The memory of table and places is the caller's and is what JavaScript sees.
class RecordBatch {
 public:
  RecordBatch(Record* table, RecordPlace* places, uint32_t capacity)
      : table_(table), places_(places), capacity_(capacity) {
    MSGR_CHECK(capacity <= kBatchRecordsMax);
  }

  [[nodiscard]] bool full() const { return count_ == capacity_; }
  [[nodiscard]] uint32_t count() const { return count_; }
  [[nodiscard]] const Record& record(uint32_t index) const {
    MSGR_CHECK(index < count_);
    const RecordPlace& place = places_[index];
    const uint32_t source = static_cast<uint32_t>(place.source) & ((1u << kSourceBits) - 1);
    const void* memory = source == 0 ? static_cast<const void*>(table_) : slabs_[source - 1]->data();
    return *reinterpret_cast<const Record*>(static_cast<const int32_t*>(memory) + place.word);
  }
  [[nodiscard]] const std::vector<SlabRef>& slabs() const { return slabs_; }

  // An event's record. Must not be full.
  void append(const Record& event) { next_event() = event; }
  // A record of zeros but for these three. Must not be full.
  Record& append(RecordKind kind, uint32_t channel, uint32_t generation) {
    Record& record = next_event();
    record = Record{};
    record.kind = static_cast<int32_t>(kind);
    record.channel = static_cast<int32_t>(channel);
    record.generation = static_cast<int32_t>(generation);
    return record;
  }

  // The messages that append_message() adds from now on are one run, and in `slab`. Answers its index.
  [[nodiscard]] int32_t begin_run(Slab& slab) {
    const int32_t index = slab_index(slab);
    run_ = (run_ + 1) & 0x7fff;
    run_source_ = static_cast<int32_t>(run_ << kSourceBits | static_cast<uint32_t>(index + 1));
    run_memory_ = slab.data();
    return index;
  }
  // The record of the run's next message, whose frame begins at `offset` of the run's slab: whatever is
  // there already; the caller writes all 16 fields, and has read preamble and header. Must not be full.
  Record& append_message(uint32_t offset) {
    MSGR_CHECK(count_ < capacity_);
    const uint32_t word = (offset + alignof(Record) - 1) / alignof(Record);
    places_[count_++] = {.source = run_source_, .word = static_cast<int32_t>(word)};
    return *new (run_memory_ + size_t{word} * alignof(Record)) Record;
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
    event_count_ = 0;
    slabs_.clear();
  }

 private:
  Record& next_event() {
    MSGR_CHECK(count_ < capacity_);
    constexpr uint32_t kWords = sizeof(Record) / sizeof(int32_t);
    places_[count_++] = {.source = 0, .word = static_cast<int32_t>(event_count_ * kWords)};
    return table_[event_count_++];
  }

  Record* table_;
  RecordPlace* places_;
  uint32_t capacity_;
  uint32_t count_ = 0;
  uint32_t event_count_ = 0;
  uint32_t run_ = 0;
  int32_t run_source_ = 0;
  uint8_t* run_memory_ = nullptr;
  std::vector<SlabRef> slabs_;
};

}  // namespace msgr
