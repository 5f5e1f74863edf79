// ceph_msg_header2: segment 0 of a MESSAGE frame, always 41 bytes.
//
//   offset size
//        0    8  seq: 1 for the first message of a session, then one more for each
//        8    8  tid
//       16    2  type
//       18    2  priority
//       20    2  version
//       22    4  data_pre_padding_len: written 0, ignored when read
//       26    2  data_off: likewise
//       28    8  ack_seq: the last seq received by the sender of this message
//       36    1  flags: written 3 (COMPLETE, NOCRC) as Ceph's daemons do, ignored when read
//       37    2  compat_version
//       39    2  reserved
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/wire/crc32c_short.h"
#include "core/wire/preamble.h"

namespace msgr {

inline constexpr size_t kMessageHeaderSize = 41;
// Where the payload of a message begins in its frame, in crc mode: behind preamble, header and its CRC.
inline constexpr size_t kMessageGapOffset = kPreambleSize + kMessageHeaderSize + sizeof(uint32_t);
inline constexpr size_t kMessageHeaderAckSeqOffset = 28;
inline constexpr uint8_t kMessageFlags = 3;

struct MessageHeader {
  uint64_t seq = 0;
  uint64_t tid = 0;
  uint64_t ack_seq = 0;
  uint16_t type = 0;
  uint16_t priority = 0;
  uint16_t version = 0;
  uint16_t compat_version = 0;
};

// Writes kMessageHeaderSize bytes. Answers their CRC, seed 0xffffffff.
inline uint32_t append_message_header(uint8_t* to, const MessageHeader& header) {
  store_u64(to, header.seq);
  store_u64(to + 8, header.tid);
  store_u64(to + 16,
            uint64_t{header.type} | uint64_t{header.priority} << 16 | uint64_t{header.version} << 32);
  store_u64(to + 24, header.ack_seq << 32);
  store_u64(to + 32,
            header.ack_seq >> 32 | uint64_t{kMessageFlags} << 32 | uint64_t{header.compat_version} << 40);
  to[40] = 0;
  return crc32c_short<kMessageHeaderSize>(kSegmentSeed, to);
}

[[nodiscard]] inline MessageHeader parse_message_header(const uint8_t* from) {
  return {
      .seq = load_u64(from),
      .tid = load_u64(from + 8),
      .ack_seq = load_u64(from + kMessageHeaderAckSeqOffset),
      .type = load_u16(from + 16),
      .priority = load_u16(from + 18),
      .version = load_u16(from + 20),
      .compat_version = load_u16(from + 37),
  };
}

}  // namespace msgr
