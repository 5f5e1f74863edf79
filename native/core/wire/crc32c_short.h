// crc32c of the few bytes that every frame has, without a call and without a detour through memory: the
// preamble's 28 and the message header's 41 (a load of eight bytes that were just stored as smaller fields
// waits for all of those stores).
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
extern const bool kCpuHasCrc32;
#endif

// The CRC of `words`, as they lie in memory in little-endian order, and of the low kTail bytes of `tail`.
template <size_t kTail, size_t kWords>
[[nodiscard]] inline uint32_t crc32c_words(uint32_t seed, const uint64_t (&words)[kWords], uint32_t tail) {
  static_assert(kTail == 1 || kTail == 4, "no frame needs it");
#if defined(__x86_64__)
  if (kCpuHasCrc32) [[likely]] {
    uint64_t crc = seed;
    for (size_t i = 0; i < kWords; i++) asm("crc32q %1, %0" : "+r"(crc) : "r"(words[i]));
    auto narrow = static_cast<uint32_t>(crc);
    if constexpr (kTail == 4) {
      asm("crc32l %1, %0" : "+r"(narrow) : "r"(tail));
    } else {
      asm("crc32b %1, %0" : "+r"(narrow) : "r"(static_cast<uint8_t>(tail)));
    }
    return narrow;
  }
#endif
  uint8_t bytes[8 * kWords + 4];
  for (size_t i = 0; i < kWords; i++) store_u64(bytes + 8 * i, words[i]);
  store_u32(bytes + 8 * kWords, tail);
  return crc32c(seed, bytes, 8 * kWords + kTail);
}

// The CRC of kSize bytes in memory.
template <size_t kSize>
[[nodiscard]] inline uint32_t crc32c_short(uint32_t seed, const uint8_t* data) {
  constexpr size_t kWords = kSize / 8;
  uint64_t words[kWords];
  for (size_t i = 0; i < kWords; i++) words[i] = load_u64(data + 8 * i);
  if constexpr (kSize % 8 == 4) {
    return crc32c_words<4>(seed, words, load_u32(data + 8 * kWords));
  } else {
    return crc32c_words<1>(seed, words, data[8 * kWords]);
  }
}

}  // namespace msgr
