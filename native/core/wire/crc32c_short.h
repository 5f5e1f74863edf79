// crc32c of the few bytes that every frame has, without a call: the preamble's 28 and the message
// header's 41. On x86-64 the instruction is written out, as a function that is compiled for SSE4.2 cannot
// be inlined into one that is not; elsewhere, and on CPUs without it, this is crc32c().
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/wire/crc32c.h"

namespace msgr {

#if defined(__x86_64__)

// Whether the CPU has the crc32 instruction; set when the library is loaded.
extern const bool kCpuHasCrc32;

template <size_t kSize>
[[nodiscard]] inline uint32_t crc32c_short(uint32_t seed, const uint8_t* data) {
  if (!kCpuHasCrc32) [[unlikely]] return crc32c(seed, data, kSize);
  uint64_t crc = seed;
  size_t at = 0;
  for (; at + 8 <= kSize; at += 8) {
    uint64_t value;
    std::memcpy(&value, data + at, sizeof value);
    asm("crc32q %1, %0" : "+r"(crc) : "r"(value));
  }
  auto narrow = static_cast<uint32_t>(crc);
  if constexpr ((kSize & 4) != 0) {
    uint32_t value;
    std::memcpy(&value, data + at, sizeof value);
    asm("crc32l %1, %0" : "+r"(narrow) : "r"(value));
    at += 4;
  }
  static_assert((kSize & 2) == 0, "no frame needs it");
  if constexpr ((kSize & 1) != 0) {
    const uint8_t value = data[at];
    asm("crc32b %1, %0" : "+r"(narrow) : "r"(value));
  }
  return narrow;
}

#else

template <size_t kSize>
[[nodiscard]] inline uint32_t crc32c_short(uint32_t seed, const uint8_t* data) {
  return crc32c(seed, data, kSize);
}

#endif

}  // namespace msgr
