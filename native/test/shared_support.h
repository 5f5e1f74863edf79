// For tests of links: the secret that two ends know, and reading.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <random>

#include "core/io/shared_link.h"

namespace msgr::test {

struct Secret {
  std::array<uint8_t, kSharedNameBytes> name;
  std::array<uint8_t, kSharedTokenBytes> token;

  explicit Secret(uint8_t seed) {
    // Other tests may run on this host at the same time.
    std::random_device random;
    for (uint8_t& byte : name) byte = static_cast<uint8_t>(random());
    token.fill(seed);
  }
};

// As read of a socket, from a link or a ring.
template <typename Reader>
ssize_t read_some(Reader& from, uint8_t* to, size_t size) {
  Bytes first;
  Bytes second;
  const ssize_t there = from.look(size, first, second);
  if (there <= 0) return there;
  std::memcpy(to, first.data(), first.size());
  std::memcpy(to + first.size(), second.data(), second.size());
  from.passed(static_cast<size_t>(there));
  return there;
}

}  // namespace msgr::test
