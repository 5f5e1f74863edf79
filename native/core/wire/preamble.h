// The 32 bytes that every frame begins with:
//
//   offset size
//        0    1  tag
//        1    1  number of segments, 1..4
//        2    6  segment 0: u32 length, u16 alignment
//        8 14 20  segments 1, 2, 3 likewise; all zero for a segment that was dropped
//       26    2  reserved (ignored when read, 0 when written)
//       28    4  crc32c of bytes 0..27, seed 0
//
// Lengths are those of the payload, in secure mode too. Alignments are hints for the receiver's buffers
// and are not looked at.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/wire/crc32c_short.h"

namespace msgr {

inline constexpr size_t kPreambleSize = 32;
inline constexpr size_t kSegmentCountMax = 4;
// Seeds: 0 for the preamble, this for each segment.
inline constexpr uint32_t kPreambleSeed = 0;
inline constexpr uint32_t kSegmentSeed = 0xffffffff;

struct Preamble {
  uint8_t tag = 0;
  uint8_t segment_count = 0;
  uint32_t lengths[kSegmentCountMax] = {};
  uint16_t alignments[kSegmentCountMax] = {};
};

inline constexpr size_t kPreambleSegmentsOffset = 2;
inline constexpr size_t kPreambleSegmentSize = 6;
inline constexpr size_t kPreambleCrcOffset = 28;

// Writes kPreambleSize bytes, CRC included.
inline void append_preamble(uint8_t* to, const Preamble& preamble) {
  const uint32_t(&lengths)[kSegmentCountMax] = preamble.lengths;
  const uint16_t(&alignments)[kSegmentCountMax] = preamble.alignments;
  store_u64(to, uint64_t{preamble.tag} | uint64_t{preamble.segment_count} << 8 | uint64_t{lengths[0]} << 16 |
                    uint64_t{alignments[0]} << 48);
  store_u64(to + 8, uint64_t{lengths[1]} | uint64_t{alignments[1]} << 32 | uint64_t{lengths[2]} << 48);
  store_u64(to + 16,
            uint64_t{lengths[2]} >> 16 | uint64_t{alignments[2]} << 16 | uint64_t{lengths[3]} << 32);
  store_u32(to + 24, alignments[3]);
  store_u32(to + kPreambleCrcOffset, crc32c_short<kPreambleCrcOffset>(kPreambleSeed, to));
}

// Reads kPreambleSize bytes as they are; whether they make sense is the frame reader's question.
// False when the CRC does not match; `crc_found` and `crc_computed` are then set for the error.
[[nodiscard]] inline bool parse_preamble(const uint8_t* from, Preamble& preamble, uint32_t& crc_found,
                                         uint32_t& crc_computed) {
  crc_found = load_u32(from + kPreambleCrcOffset);
  crc_computed = crc32c_short<kPreambleCrcOffset>(kPreambleSeed, from);
  if (crc_found != crc_computed) [[unlikely]]
    return false;
  preamble.tag = from[0];
  preamble.segment_count = from[1];
  const uint8_t* segment = from + kPreambleSegmentsOffset;
  for (size_t i = 0; i < kSegmentCountMax; i++, segment += kPreambleSegmentSize) {
    preamble.lengths[i] = load_u32(segment);
    preamble.alignments[i] = load_u16(segment + 4);
  }
  return true;
}

}  // namespace msgr
