// The limits that the native core applies. Their values, units and reasons stand in src/limits.ts and
// nowhere else: the binding fills this struct by the names below before the first channel is made, so
// every member is 0 until then.
#pragma once

#include <cstdint>

namespace msgr {

struct Limits {
  uint64_t control_payload_bytes_max = 0;
  // Front, middle and data together. At most kMessageBytesCeiling, as records carry offsets in 31 bits.
  uint64_t message_bytes_max = 0;
  uint64_t lend_bytes_min = 0;
  uint64_t slab_bytes = 0;
  uint64_t receive_turn_bytes_max = 0;
  uint64_t channel_queue_bytes_max = 0;
  uint64_t unread_within_host_bytes_max = 0;
};

inline constexpr uint64_t kMessageBytesCeiling = 0x7fff0000;

struct LimitName {
  // The export of src/limits.ts that holds the value.
  const char* name;
  uint64_t Limits::*member;
};

inline constexpr LimitName kLimitNames[] = {
    {"controlPayloadBytesMax", &Limits::control_payload_bytes_max},
    {"messageBytesMaxDefault", &Limits::message_bytes_max},
    {"lendBytesMin", &Limits::lend_bytes_min},
    {"slabBytes", &Limits::slab_bytes},
    {"receiveTurnBytesMax", &Limits::receive_turn_bytes_max},
    {"channelQueueBytesMax", &Limits::channel_queue_bytes_max},
    {"unreadWithinHostBytesMax", &Limits::unread_within_host_bytes_max},
};

}  // namespace msgr
