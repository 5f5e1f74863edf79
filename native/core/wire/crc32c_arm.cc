// crc32c on ARMv8 with the CRC32 extension: three streams of the crc32cd instruction, joined by the
// carry-less multiply where the CPU has it (PMULL), else one stream.
#include "core/wire/crc32c_internal.h"

#if defined(__aarch64__) && defined(__linux__) && (defined(__GNUC__) || defined(__clang__)) && \
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

#include <cstring>

#if defined(__clang__)
#define MSGR_TARGET_CRC __attribute__((target("crc")))
#define MSGR_TARGET_CRYPTO __attribute__((target("crc,aes")))
#else
#define MSGR_TARGET_CRC __attribute__((target("+crc")))
#define MSGR_TARGET_CRYPTO __attribute__((target("+crc+crypto")))
#endif

namespace msgr::crc32c_internal {

namespace {

// Written out, as compilers hide the intrinsics unless the whole file is compiled for the extension.
MSGR_TARGET_CRC inline uint32_t crc_word(uint32_t crc, uint64_t value) {
  asm("crc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(value));
  return crc;
}
MSGR_TARGET_CRC inline uint32_t crc_byte(uint32_t crc, uint8_t value) {
  asm("crc32cb %w0, %w0, %w1" : "+r"(crc) : "r"(static_cast<uint32_t>(value)));
  return crc;
}
// Both have 32 bits, so the product fits the low 64.
MSGR_TARGET_CRYPTO inline uint64_t multiply(uint32_t crc, uint32_t by) {
  const uint64x2_t a = vdupq_n_u64(crc);
  const uint64x2_t b = vdupq_n_u64(by);
  uint64x2_t product;
  asm("pmull %0.1q, %1.1d, %2.1d" : "=w"(product) : "w"(a), "w"(b));
  return vgetq_lane_u64(product, 0);
}

template <bool kCopy>
MSGR_TARGET_CRC inline uint32_t step(uint32_t crc, uint8_t* to, const uint8_t* from) {
  uint64_t value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (kCopy) std::memcpy(to, &value, sizeof value);
  return crc_word(crc, value);
}

template <bool kCopy>
MSGR_TARGET_CRC inline uint32_t one_way(uint32_t crc, uint8_t* to, const uint8_t* from, size_t size) {
  while (size >= 8) {
    crc = step<kCopy>(crc, to, from);
    from += 8;
    if constexpr (kCopy) to += 8;
    size -= 8;
  }
  for (size_t i = 0; i < size; i++) {
    if constexpr (kCopy) to[i] = from[i];
    crc = crc_byte(crc, from[i]);
  }
  return crc;
}

constexpr size_t kThreeWayBytesMin = 192;

template <bool kCopy>
MSGR_TARGET_CRYPTO inline uint32_t three_way(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size) {
  while (size >= kThreeWayBytesMin) {
    const size_t third = size / 24;
    const size_t words = third < kStreamWordsMax ? third : kStreamWordsMax;
    const size_t stride = words * 8;
    uint32_t first = seed;
    uint32_t second = 0;
    uint32_t last = 0;
    for (size_t i = 0; i < stride; i += 8) {
      first = step<kCopy>(first, to + (kCopy ? i : 0), from + i);
      second = step<kCopy>(second, to + (kCopy ? stride + i : 0), from + stride + i);
      last = step<kCopy>(last, to + (kCopy ? 2 * stride + i : 0), from + 2 * stride + i);
    }
    seed = last ^ crc_word(0, multiply(first, kShifts[2 * words]) ^ multiply(second, kShifts[words]));
    from += 3 * stride;
    if constexpr (kCopy) to += 3 * stride;
    size -= 3 * stride;
  }
  return one_way<kCopy>(seed, to, from, size);
}

MSGR_TARGET_CRC uint32_t one_way_crc(uint32_t seed, const uint8_t* data, size_t size) {
  return one_way<false>(seed, nullptr, data, size);
}
MSGR_TARGET_CRC uint32_t one_way_crc_copy(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size) {
  return one_way<true>(seed, to, from, size);
}
MSGR_TARGET_CRYPTO uint32_t three_way_crc(uint32_t seed, const uint8_t* data, size_t size) {
  return three_way<false>(seed, nullptr, data, size);
}
MSGR_TARGET_CRYPTO uint32_t three_way_crc_copy(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size) {
  return three_way<true>(seed, to, from, size);
}

}  // namespace

size_t list_arm(Crc32cImplementation* to) {
  const unsigned long features = getauxval(AT_HWCAP);
  const bool has_crc = (features & HWCAP_CRC32) != 0;
  to[0] = {"armv8 crc32", has_crc, one_way_crc, one_way_crc_copy};
  to[1] = {"armv8 crc32 three-way", has_crc && (features & HWCAP_PMULL) != 0, three_way_crc,
           three_way_crc_copy};
  return 2;
}

}  // namespace msgr::crc32c_internal

#else

namespace msgr::crc32c_internal {

size_t list_arm(Crc32cImplementation*) { return 0; }

}  // namespace msgr::crc32c_internal

#endif
