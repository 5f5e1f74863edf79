// What follows the last segment of a frame with more than one, crc mode (13 bytes):
//
//   offset size
//        0    1  late_status; low nibble 0xe = complete, 0x1 = aborted by the sender, else a bad frame
//        1   12  crc32c of segments 1, 2, 3, seed 0xffffffff; 0 for a segment that was dropped, the
//                seed for an empty one that was not
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/wire/crc32c.h"
#include "core/wire/preamble.h"

namespace msgr {

inline constexpr size_t kEpilogueSize = 13;
inline constexpr uint8_t kLateStatusMask = 0x0f;
inline constexpr uint8_t kLateStatusAborted = 0x01;
inline constexpr uint8_t kLateStatusComplete = 0x0e;

inline void append_epilogue(uint8_t* to, uint8_t late_status, const uint32_t (&crcs)[3]) {
  to[0] = late_status;
  store_u32(to + 1, crcs[0]);
  store_u32(to + 5, crcs[1]);
  store_u32(to + 9, crcs[2]);
}

// The CRC of a segment; most messages have empty ones, which need no look.
[[nodiscard]] inline uint32_t segment_crc(const uint8_t* data, uint32_t size) {
  return size == 0 ? kSegmentSeed : crc32c(kSegmentSeed, data, size);
}

// The CRC slot of segment 1, 2 or 3.
[[nodiscard]] inline uint32_t epilogue_crc(const uint8_t* epilogue, size_t segment) {
  return load_u32(epilogue + 1 + 4 * (segment - 1));
}

}  // namespace msgr
