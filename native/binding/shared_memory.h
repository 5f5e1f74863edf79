// The memory that C++ and TypeScript both write and read, one block per transport. src/native.ts learns
// every offset from here through `layout`, so there is one table.
//
//      ┌──────────┬──────────┬──────────────────────┬──────────────────────┬─────────────────────┐
//      │ control  │ releases │ send tables          │ record tables        │ places              │
//      │ 64 × i32 │ 1024×i32 │ 1 or 4 × 2048 × 32 B │ 1 or 4 × 4096 × 64 B │ 1 or 4 × 4096 × 8 B │
//      └──────────┴──────────┴──────────────────────┴──────────────────────┴─────────────────────┘
//
// The frames of one send table lie one behind the other in one slab, from kSendStart on, in the table's
// order; so a line of the table says nothing of where its frame is.
// Send tables are written by TypeScript, records and places by the loop. With a thread of its own the loop works
// on one table while JavaScript works on another; they change hands under the thread's lock. Control words
// and releases are touched on JavaScript's thread only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/channel/record.h"
#include "core/channel/send_record.h"
#include "core/io/socket.h"

namespace msgr {

// i32 indices into the control words.
struct Control {
  static constexpr size_t kWords = 64;
  // Messages in the present send table.
  static constexpr int32_t kSendCount = 0;
  // Where the next frame begins in the present send slab.
  static constexpr int32_t kSendOffset = 1;
  // Where the first frame of the present table began.
  static constexpr int32_t kSendStart = 2;
  // Where the present send table begins: the index of its first i32 in all of the memory.
  static constexpr int32_t kSendTable = 3;
  static constexpr int32_t kSendSlot = 4;
  static constexpr int32_t kReleaseCount = 5;
  // What the delivery under way is: a record table, and its records.
  static constexpr int32_t kDeliveredTable = 6;
  static constexpr int32_t kDeliveredCount = 7;
};

inline constexpr NamedNumber kControlWords[] = {
    {"sendCount", Control::kSendCount}, {"sendOffset", Control::kSendOffset},
    {"sendStart", Control::kSendStart}, {"sendTable", Control::kSendTable},
    {"sendSlot", Control::kSendSlot},   {"releaseCount", Control::kReleaseCount},
    {"deliveredTable", Control::kDeliveredTable}, {"deliveredCount", Control::kDeliveredCount},
};

// SocketStep, for the errors that TypeScript makes of it.
inline constexpr NamedNumber kSocketSteps[] = {
    {"socket", static_cast<int32_t>(SocketStep::kSocket)},
    {"device", static_cast<int32_t>(SocketStep::kDevice)},
    {"noDelay", static_cast<int32_t>(SocketStep::kNoDelay)},
    {"typeOfService", static_cast<int32_t>(SocketStep::kTypeOfService)},
    {"reusePort", static_cast<int32_t>(SocketStep::kReusePort)},
    {"bindAddressNoPort", static_cast<int32_t>(SocketStep::kBindAddressNoPort)},
    {"busyPollUs", static_cast<int32_t>(SocketStep::kBusyPoll)},
    {"receiveBufferBytes", static_cast<int32_t>(SocketStep::kReceiveBuffer)},
    {"sendBufferBytes", static_cast<int32_t>(SocketStep::kSendBuffer)},
    {"congestionControl", static_cast<int32_t>(SocketStep::kCongestionControl)},
    {"bind", static_cast<int32_t>(SocketStep::kBind)},
    {"listen", static_cast<int32_t>(SocketStep::kListen)},
    {"connect", static_cast<int32_t>(SocketStep::kConnect)},
    {"receive", static_cast<int32_t>(SocketStep::kReceive)},
    {"send", static_cast<int32_t>(SocketStep::kSend)},
};

inline constexpr uint32_t kReleasesPerCall = 1024;
inline constexpr uint32_t kSendRecords = 2048;
inline constexpr uint32_t kBatchRecords = 4096;

struct SharedLayout {
  explicit SharedLayout(uint32_t table_count) : tables(table_count) {}

  [[nodiscard]] size_t releases_offset() const { return Control::kWords * sizeof(int32_t); }
  [[nodiscard]] size_t send_offset(uint32_t table) const {
    return releases_offset() + kReleasesPerCall * sizeof(int32_t) +
           size_t{table} * kSendRecords * sizeof(SendRecord);
  }
  [[nodiscard]] size_t record_offset(uint32_t table) const {
    return send_offset(tables) + size_t{table} * kBatchRecords * sizeof(Record);
  }
  [[nodiscard]] size_t place_offset(uint32_t table) const {
    return record_offset(tables) + size_t{table} * kBatchRecords * sizeof(RecordPlace);
  }
  [[nodiscard]] size_t bytes() const { return place_offset(tables); }

  const uint32_t tables;
};

}  // namespace msgr
