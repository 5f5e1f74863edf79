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

// Writes kPreambleSize bytes, CRC included.
void append_preamble(uint8_t* to, const Preamble& preamble);

// Reads kPreambleSize bytes as they are; whether they make sense is the frame reader's question.
// False when the CRC does not match; `crc_found` and `crc_computed` are then set for the error.
[[nodiscard]] bool parse_preamble(const uint8_t* from, Preamble& preamble, uint32_t& crc_found,
                                  uint32_t& crc_computed);

}  // namespace msgr
