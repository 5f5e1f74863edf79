// Frame tags of msgr2.1, by Ceph's names.
#pragma once

#include <cstddef>
#include <cstdint>

namespace msgr {

enum class Tag : uint8_t {
  kHello = 1,
  kAuthRequest = 2,
  kAuthBadMethod = 3,
  kAuthReplyMore = 4,
  kAuthRequestMore = 5,
  kAuthDone = 6,
  kAuthSignature = 7,
  kClientIdent = 8,
  kServerIdent = 9,
  kIdentMissingFeatures = 10,
  kSessionReconnect = 11,
  kSessionReset = 12,
  kSessionRetry = 13,
  kSessionRetryGlobal = 14,
  kSessionReconnectOk = 15,
  kWait = 16,
  kMessage = 17,
  kKeepalive2 = 18,
  kKeepalive2Ack = 19,
  kAck = 20,
};

// Payloads of a fixed size: a seq; seconds and nanoseconds, u32 each.
inline constexpr size_t kAckPayloadSize = 8;
inline constexpr size_t kKeepalivePayloadSize = 8;

}  // namespace msgr
