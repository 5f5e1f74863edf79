// What can be wrong with a frame. Each closes the connection that it came on, and nothing else.
// The numbers and names cross the border to JavaScript, which makes the ERR_MSGR_… error of them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace msgr {

enum class FrameError : uint8_t {
  kNone = 0,
  kPreambleCrc = 1,          // value: CRC found, expected: CRC computed
  kSegmentCount = 2,         // value: number of segments, not in 1..4
  kLastSegmentEmpty = 3,     // value: number of segments, more than one, of which the last is empty
  kMessageHeaderSize = 4,    // value: length of segment 0 of a MESSAGE, expected: 41
  kMessageBytes = 5,         // value: front + middle + data, expected: at most so many
  kControlSegmentCount = 6,  // value: number of segments of a frame that is no MESSAGE, expected: 1
  kControlPayloadBytes = 7,  // value: payload length of a control frame, expected: at most so many
  kSegmentCrc = 8,           // value: CRC found, expected: CRC computed; segment tells which
  kLateStatus = 9,           // value: late_status byte
  kAckSize = 10,             // value: payload length of an ACK, expected: 8
  kKeepaliveSize = 11,       // value: payload length of a KEEPALIVE2, expected: 8
  kHandshakeMessage = 12,    // value: bytes of a MESSAGE before the session, expected: at most so many
  kNoMemory = 13,            // value: bytes of the frame that no slab could be had for
  kTag = 14,                 // value: GCM operations before this one; segment: the first one in it
  kNoncesUsed = 15,          // value: GCM operations so far, modulo 2^64; in either direction
  kCipher = 16,              // the crypto library refused
};

struct FrameErrorName {
  FrameError error;
  const char* name;
  const char* text;
};

inline constexpr FrameErrorName kFrameErrorNames[] = {
    {FrameError::kNone, "none", "no error"},
    {FrameError::kPreambleCrc, "preambleCrc", "preamble CRC does not match"},
    {FrameError::kSegmentCount, "segmentCount", "number of segments is not 1 to 4"},
    {FrameError::kLastSegmentEmpty, "lastSegmentEmpty", "last segment is empty"},
    {FrameError::kMessageHeaderSize, "messageHeaderSize", "message header has a wrong length"},
    {FrameError::kMessageBytes, "messageBytes", "message is too long"},
    {FrameError::kControlSegmentCount, "controlSegmentCount", "control frame has more than one segment"},
    {FrameError::kControlPayloadBytes, "controlPayloadBytes", "control frame is too long"},
    {FrameError::kSegmentCrc, "segmentCrc", "segment CRC does not match"},
    {FrameError::kLateStatus, "lateStatus", "late_status is neither complete nor aborted"},
    {FrameError::kAckSize, "ackSize", "ACK has a wrong length"},
    {FrameError::kKeepaliveSize, "keepaliveSize", "KEEPALIVE2 has a wrong length"},
    {FrameError::kHandshakeMessage, "handshakeMessage", "message before the session"},
    {FrameError::kNoMemory, "noMemory", "no memory for the frame"},
    {FrameError::kTag, "tag", "does not verify: altered on the way, or sealed with another key"},
    {FrameError::kNoncesUsed, "noncesUsed", "every nonce of the stream was used"},
    {FrameError::kCipher, "cipher", "the crypto library refused to seal or open"},
};

struct FrameFault {
  FrameError error = FrameError::kNone;
  uint8_t tag = 0;
  uint8_t segment = 0;
  uint64_t value = 0;
  uint64_t expected = 0;
};

}  // namespace msgr
