// crc32c of the few bytes that every frame has, without a call: the preamble's 28 and the message header's
// 41. Who writes them does so in words of eight bytes, as they are read here: a load of bytes that were just
// stored as smaller fields waits for all of those stores.
// On x86-64 the instruction is written out, as a function that is compiled for SSE4.2 cannot be inlined
// into one that is not; elsewhere, and on CPUs without it, this is crc32c().
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/wire/crc32c.h"

namespace msgr {

#if defined(__x86_64__)
// Whether the CPU has the crc32 instruction; set when the library is loaded.
extern __attribute__((visibility("hidden"))) const bool kCpuHasCrc32;
#endif

// The CRC of kSize bytes.
template <size_t kSize>
[[nodiscard]] inline uint32_t crc32c_short(uint32_t seed, const uint8_t* data) {
  constexpr size_t kWords = kSize / 8;
  static_assert(kSize % 8 == 4 || kSize % 8 == 1, "no frame needs it");
#if defined(__x86_64__)
  if (kCpuHasCrc32) [[likely]] {
    uint64_t crc = seed;
    for (size_t i = 0; i < kWords; i++) asm("crc32q %1, %0" : "+r"(crc) : "r"(load_u64(data + 8 * i)));
    auto narrow = static_cast<uint32_t>(crc);
    if constexpr (kSize % 8 == 4) {
      asm("crc32l %1, %0" : "+r"(narrow) : "r"(load_u32(data + 8 * kWords)));
    } else {
      asm("crc32b %1, %0" : "+r"(narrow) : "r"(data[8 * kWords]));
    }
    return narrow;
  }
#endif
  return crc32c(seed, data, kSize);
}

}  // namespace msgr
