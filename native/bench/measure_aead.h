// How fast this host seals and opens pieces of one size, and nothing else: what secure mode can reach at most.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/crypto/aead.h"

namespace msgr::bench {

struct AeadSpeed {
  // One core, payload bytes; 0 without libcrypto.
  double seal_bytes_per_second = 0;
  double open_bytes_per_second = 0;
};

// Short ones: on a busy machine few long ones would be left alone.
constexpr int kAeadRounds = 100;

// Bytes per second of the best round; `work` does one piece.
template <typename Work>
double best_speed(size_t bytes, uint32_t milliseconds, Work work) {
  using Clock = std::chrono::steady_clock;
  const std::chrono::duration<double> round_time{milliseconds / 1000.0 / kAeadRounds};
  // So that looking at the clock does not show.
  const size_t pieces = std::max<size_t>(1, 64 * 1024 / std::max<size_t>(bytes, 1));
  double best = 0;
  for (int round = 0; round < kAeadRounds; round++) {
    size_t done = 0;
    const auto start = Clock::now();
    std::chrono::duration<double> elapsed{};
    do {
      for (size_t i = 0; i < pieces; i++) work();
      done += pieces;
      elapsed = Clock::now() - start;
    } while (elapsed < round_time);
    best = std::max(best, static_cast<double>(done * bytes) / elapsed.count());
  }
  return best;
}

// Takes about `milliseconds` for each direction. The best of several rounds, as noise only ever adds time.
inline AeadSpeed measure_aead(size_t bytes, uint32_t milliseconds) {
  const uint8_t key[kAeadKeySize] = {1};
  const uint8_t nonce[kAeadNonceSize] = {2};
  const auto sealer = Aead::create(Aead::Direction::kSeal, key, nonce);
  const auto opener = Aead::create(Aead::Direction::kOpen, key, nonce);
  if (!sealer || !opener) return {};
  std::vector<uint8_t> plain(bytes, 0x5a);
  std::vector<uint8_t> sealed(bytes + kAeadTagSize);
  AeadSpeed speed;
  bool good = true;
  const auto seal = [&] {
    good = sealer->begin() && sealer->update(sealed.data(), plain.data(), bytes) &&
           sealer->seal_end(sealed.data() + bytes) && good;
  };
  seal();
  speed.open_bytes_per_second = best_speed(bytes, milliseconds, [&] {
    good = opener->begin() && opener->update(plain.data(), sealed.data(), bytes) &&
           opener->open_end(sealed.data() + bytes) && good;
    // The same piece again.
    opener->nonces().skip(~uint64_t{0});
  });
  speed.seal_bytes_per_second = best_speed(bytes, milliseconds, seal);
  return good ? speed : AeadSpeed{};
}

}  // namespace msgr::bench
