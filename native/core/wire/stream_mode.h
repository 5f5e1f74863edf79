// How frames look on the wire, once the handshake has agreed on it: plain with CRCs, or encrypted with
// AES-128-GCM. Every size of a frame is asked of the mode.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/wire/epilogue.h"
#include "core/wire/preamble.h"

namespace msgr {

enum class StreamMode : uint8_t { kCrc, kSecure };

// Secure mode: blocks of 16, a 16-byte tag behind each sealed part, 48 bytes of segment 0 inline in the
// first part.
inline constexpr size_t kSecureBlock = 16;
inline constexpr size_t kSecureTag = 16;
inline constexpr size_t kSecureInline = 48;

// Zero bytes behind a segment of such a length, up to the next whole block.
[[nodiscard]] constexpr size_t secure_padding(uint64_t length) {
  return static_cast<size_t>(-length % kSecureBlock);
}

// Bytes that must be there before the preamble can be read.
[[nodiscard]] constexpr size_t first_block_size(StreamMode mode) {
  return mode == StreamMode::kCrc ? kPreambleSize : kPreambleSize + kSecureInline + kSecureTag;
}

// Bytes of a whole frame. 64 bits wide: four lengths of 2^32 - 1 do not overflow it.
[[nodiscard]] constexpr uint64_t frame_size(StreamMode mode, size_t segment_count,
                                            const uint32_t (&lengths)[kSegmentCountMax]) {
  if (mode == StreamMode::kCrc) {
    uint64_t size = kPreambleSize;
    for (size_t i = 0; i < segment_count; i++) size += lengths[i];
    if (lengths[0] > 0) size += sizeof(uint32_t);
    if (segment_count > 1) size += kEpilogueSize;
    return size;
  }
  const auto padded = [](uint64_t length) { return length + secure_padding(length); };
  uint64_t size = first_block_size(mode);
  if (padded(lengths[0]) > kSecureInline) size += padded(lengths[0]) - kSecureInline + kSecureTag;
  if (segment_count > 1) {
    for (size_t i = 1; i < segment_count; i++) size += padded(lengths[i]);
    size += kSecureBlock + kSecureTag;
  }
  return size;
}

}  // namespace msgr
