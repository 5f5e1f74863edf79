#include "core/wire/crc32c.h"

#include <array>

#include "core/base/bytes.h"
#include "core/wire/crc32c_internal.h"
#include "core/wire/crc32c_short.h"

namespace msgr {

namespace crc32c_internal {

namespace {

// tables[k][b]: the CRC of byte b followed by k zero bytes, from state 0.
constexpr auto make_tables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; k++) {
    for (size_t byte = 0; byte < 256; byte++) {
      const uint32_t previous = tables[k - 1][byte];
      tables[k][byte] = (previous >> 8) ^ tables[0][previous & 0xff];
    }
  }
  return tables;
}

constexpr auto kTables = make_tables();

template <bool kCopy>
inline uint32_t table(uint32_t crc, uint8_t* to, const uint8_t* from, size_t size) {
  while (size >= 8) {
    const uint32_t low = load_u32(from);
    const uint32_t high = load_u32(from + 4);
    if constexpr (kCopy) {
      store_u32(to, low);
      store_u32(to + 4, high);
      to += 8;
    }
    const uint32_t mixed = crc ^ low;
    crc = kTables[7][mixed & 0xff] ^ kTables[6][(mixed >> 8) & 0xff] ^ kTables[5][(mixed >> 16) & 0xff] ^
          kTables[4][mixed >> 24] ^ kTables[3][high & 0xff] ^ kTables[2][(high >> 8) & 0xff] ^
          kTables[1][(high >> 16) & 0xff] ^ kTables[0][high >> 24];
    from += 8;
    size -= 8;
  }
  for (size_t i = 0; i < size; i++) {
    const uint8_t byte = from[i];
    if constexpr (kCopy) to[i] = byte;
    crc = (crc >> 8) ^ kTables[0][(crc ^ byte) & 0xff];
  }
  return crc;
}

}  // namespace

uint32_t table_crc(uint32_t seed, const uint8_t* data, size_t size) {
  return table<false>(seed, nullptr, data, size);
}

uint32_t table_crc_copy(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size) {
  return table<true>(seed, to, from, size);
}

}  // namespace crc32c_internal

namespace {

struct Implementations {
  std::array<Crc32cImplementation, 7> list{};
  size_t count = 0;
  Crc32cImplementation best{};

  Implementations() {
    list[count++] = {"table", true, crc32c_internal::table_crc, crc32c_internal::table_crc_copy};
    count += crc32c_internal::list_x86(&list[count]);
    count += crc32c_internal::list_arm(&list[count]);
    for (size_t i = 0; i < count; i++) {
      if (list[i].supported) best = list[i];
    }
  }
};

// Chosen when the library is loaded, before any code of it can be called.
const Implementations implementations;

}  // namespace

#if defined(__x86_64__)
const bool kCpuHasCrc32 = [] {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") != 0;
}();
#endif

uint32_t crc32c(uint32_t seed, const uint8_t* data, size_t size) {
  return implementations.best.crc(seed, data, size);
}

uint32_t crc32c_copy(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size) {
  return implementations.best.crc_copy(seed, to, from, size);
}

std::span<const Crc32cImplementation> crc32c_implementations() {
  return {implementations.list.data(), implementations.count};
}

}  // namespace msgr
