// For tests of links: the secret that two ends know.
#pragma once

#include <array>
#include <cstdint>
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

}  // namespace msgr::test
