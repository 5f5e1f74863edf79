#include "core/wire/preamble.h"

#include "core/base/bytes.h"
#include "core/wire/crc32c.h"

namespace msgr {

namespace {

constexpr size_t kSegmentsOffset = 2;
constexpr size_t kSegmentDescriptorSize = 6;
constexpr size_t kReservedOffset = 26;
constexpr size_t kCrcOffset = 28;

}  // namespace

void append_preamble(uint8_t* to, const Preamble& preamble) {
  to[0] = preamble.tag;
  to[1] = preamble.segment_count;
  uint8_t* descriptor = to + kSegmentsOffset;
  for (size_t i = 0; i < kSegmentCountMax; i++, descriptor += kSegmentDescriptorSize) {
    store_u32(descriptor, preamble.lengths[i]);
    store_u16(descriptor + 4, preamble.alignments[i]);
  }
  store_u16(to + kReservedOffset, 0);
  store_u32(to + kCrcOffset, crc32c(kPreambleSeed, to, kCrcOffset));
}

bool parse_preamble(const uint8_t* from, Preamble& preamble, uint32_t& crc_found, uint32_t& crc_computed) {
  crc_found = load_u32(from + kCrcOffset);
  crc_computed = crc32c(kPreambleSeed, from, kCrcOffset);
  if (crc_found != crc_computed) [[unlikely]] return false;
  preamble.tag = from[0];
  preamble.segment_count = from[1];
  const uint8_t* descriptor = from + kSegmentsOffset;
  for (size_t i = 0; i < kSegmentCountMax; i++, descriptor += kSegmentDescriptorSize) {
    preamble.lengths[i] = load_u32(descriptor);
    preamble.alignments[i] = load_u16(descriptor + 4);
  }
  return true;
}

}  // namespace msgr
