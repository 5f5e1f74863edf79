// CRC-32C (Castagnoli) as Ceph uses it: reflected polynomial 0x82f63b78, the caller's seed is the initial
// state, and the result is not inverted. The fastest implementation that the CPU has is chosen once, at
// run time. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace msgr {

using Crc32cFunction = uint32_t (*)(uint32_t seed, const uint8_t* data, size_t size);
using Crc32cCopyFunction = uint32_t (*)(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size);

// `size` may be 0: the result is the seed.
[[nodiscard]] uint32_t crc32c(uint32_t seed, const uint8_t* data, size_t size);

// Copies `size` bytes and gives their CRC in one pass over memory. The ranges must not overlap.
[[nodiscard]] uint32_t crc32c_copy(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size);

// All that were compiled in, slowest first, for tests and benches. Only those with `supported` may be
// called on this CPU; the last of them is what crc32c() uses.
struct Crc32cImplementation {
  const char* name;
  bool supported;
  Crc32cFunction crc;
  Crc32cCopyFunction crc_copy;
};
[[nodiscard]] std::span<const Crc32cImplementation> crc32c_implementations();

}  // namespace msgr
