// The figures of one channel that JavaScript reads without a call: u64 words in memory that both sides
// see. Written by the loop's thread alone, read by any; each word is consistent in itself only.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/channel/record.h"

namespace msgr {

struct alignas(64) ChannelCounters {
  // Totals since the channel was made.
  std::atomic<uint64_t> frames_received{0};
  std::atomic<uint64_t> frames_sent{0};
  std::atomic<uint64_t> messages_received{0};
  std::atomic<uint64_t> messages_sent{0};
  std::atomic<uint64_t> bytes_received{0};
  std::atomic<uint64_t> bytes_sent{0};
  std::atomic<uint64_t> messages_replayed{0};
  std::atomic<uint64_t> duplicates_dropped{0};
  // As they are now.
  std::atomic<uint64_t> in_seq{0};
  std::atomic<uint64_t> out_seq{0};
  std::atomic<uint64_t> queued_bytes{0};
  std::atomic<uint64_t> unacked_bytes{0};
  std::atomic<uint64_t> outbox_count{0};
  std::atomic<uint64_t> backlog_bytes{0};
  // Free for the I/O layer and the binding.
  std::atomic<uint64_t> spare[2] = {};
};
static_assert(sizeof(ChannelCounters) == 128);
static_assert(std::atomic<uint64_t>::is_always_lock_free);

// Index of each word.
inline constexpr NamedNumber kChannelCounterNames[] = {
    {"framesReceived", 0}, {"framesSent", 1}, {"messagesReceived", 2}, {"messagesSent", 3},
    {"bytesReceived", 4},  {"bytesSent", 5},  {"messagesReplayed", 6}, {"duplicatesDropped", 7},
    {"inSeq", 8},          {"outSeq", 9},     {"queuedBytes", 10},     {"unackedBytes", 11},
    {"outboxCount", 12},   {"backlogBytes", 13},
};

// One writer, so no read-modify-write instruction is needed.
inline void add(std::atomic<uint64_t>& counter, uint64_t amount) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}
inline void set(std::atomic<uint64_t>& counter, uint64_t value) {
  counter.store(value, std::memory_order_relaxed);
}

}  // namespace msgr
