// What the implementations of crc32c share. Polynomials are reflected: bit 31 of a 32-bit value is the
// coefficient of x^0, bit 0 that of x^31.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/wire/crc32c.h"

namespace msgr::crc32c_internal {

inline constexpr uint32_t kPolynomial = 0x82f63b78;

// x^bits modulo the polynomial.
constexpr uint32_t power_of_x(uint32_t bits) {
  uint32_t value = 0x80000000;
  for (uint32_t i = 0; i < bits; i++) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
  return value;
}

// Streams that run side by side have at most so many words of 8 bytes each.
inline constexpr size_t kStreamWordsMax = 256;

constexpr auto make_shifts() {
  std::array<uint32_t, 2 * kStreamWordsMax + 1> shifts{};
  uint32_t value = power_of_x(64 - 33);
  for (size_t words = 1; words < shifts.size(); words++) {
    shifts[words] = value;
    for (int bit = 0; bit < 64; bit++) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
  }
  return shifts;
}

// kShifts[n], multiplied without carries and reduced by the CRC instruction, moves a state over n words
// of 8 bytes: x^(64n-33).
inline constexpr auto kShifts = make_shifts();

uint32_t table_crc(uint32_t seed, const uint8_t* data, size_t size);
uint32_t table_crc_copy(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size);

// Each writes its implementations to `to`, slowest first, and answers how many; at most 3, and 0 when
// the code is not for the architecture at hand.
size_t list_x86(Crc32cImplementation* to);
size_t list_arm(Crc32cImplementation* to);

}  // namespace msgr::crc32c_internal
