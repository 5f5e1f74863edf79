// Little-endian integers at any address: the byte order of everything that msgr2 puts on the wire.
// No bounds are checked here; the caller knows that the bytes are there.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace msgr {

using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

template <typename Integer>
[[nodiscard]] inline Integer swap_unless_little_endian(Integer value) {
  if constexpr (std::endian::native == std::endian::little || sizeof(Integer) == 1) {
    return value;
  } else if constexpr (sizeof(Integer) == 2) {
    return static_cast<Integer>(__builtin_bswap16(value));
  } else if constexpr (sizeof(Integer) == 4) {
    return static_cast<Integer>(__builtin_bswap32(value));
  } else {
    return static_cast<Integer>(__builtin_bswap64(value));
  }
}

template <typename Integer>
[[nodiscard]] inline Integer load_little(const uint8_t* from) {
  Integer value;
  std::memcpy(&value, from, sizeof value);
  return swap_unless_little_endian(value);
}

template <typename Integer>
inline void store_little(uint8_t* to, Integer value) {
  value = swap_unless_little_endian(value);
  std::memcpy(to, &value, sizeof value);
}

[[nodiscard]] inline uint16_t load_u16(const uint8_t* from) { return load_little<uint16_t>(from); }
[[nodiscard]] inline uint32_t load_u32(const uint8_t* from) { return load_little<uint32_t>(from); }
[[nodiscard]] inline uint64_t load_u64(const uint8_t* from) { return load_little<uint64_t>(from); }
inline void store_u16(uint8_t* to, uint16_t value) { store_little(to, value); }
inline void store_u32(uint8_t* to, uint32_t value) { store_little(to, value); }
inline void store_u64(uint8_t* to, uint64_t value) { store_little(to, value); }

}  // namespace msgr
