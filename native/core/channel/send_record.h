// What JavaScript tells the core of a message to be sent: one line of 32 bytes, as it writes each of them for
// every message. src/transport/native/send-table.ts states the same layout; a test compares it with kSendFields.
#pragma once

#include <cstdint>

#include "core/channel/record.h"
#include "core/wire/frame_writer.h"

namespace msgr {

struct SendRecord {
  // The channel, and in the top two bits which payloads are lent (kFrontLent, kDataLent).
  uint32_t channel;
  uint32_t type_and_priority;
  uint32_t versions;
  uint32_t tid_low;
  uint32_t tid_high;
  uint32_t front_length;
  uint32_t middle_length;
  uint32_t data_length;

  [[nodiscard]] MessageSizes sizes() const { return {front_length, middle_length, data_length}; }
  [[nodiscard]] uint64_t tid() const { return tid_low | uint64_t{tid_high} << 32; }
};
static_assert(sizeof(SendRecord) == 32);
inline constexpr uint32_t kFrontLent = 1u << 31;
inline constexpr uint32_t kDataLent = 1u << 30;

inline constexpr NamedNumber kSendFields[] = {
    {"channel", 0}, {"typeAndPriority", 1}, {"versions", 2},     {"tidLow", 3},
    {"tidHigh", 4}, {"frontLength", 5},     {"middleLength", 6}, {"dataLength", 7},
};

}  // namespace msgr
