// The nonces of one direction of a stream, one for each GCM operation (msgr2.1):
//
//   offset size
//        0    4  fixed
//        4    8  counter, u64 little-endian; one more for each operation, 2^64 - 1 is followed by 0
//
// Invariant: take() never gives the same nonce twice; once all 2^64 were given there are no more, and the
// stream has to end.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/base/bytes.h"
#include "core/crypto/stream_secrets.h"

namespace msgr {

class Nonces {
 public:
  explicit Nonces(const uint8_t (&first)[kAeadNonceSize])
      : first_(load_u64(first + kCounterOffset)), next_(first_) {
    std::memcpy(fixed_, first, kCounterOffset);
  }

  // Writes the next one, kAeadNonceSize bytes. False when none is left.
  [[nodiscard]] bool take(uint8_t* to) {
    if (used_up_) [[unlikely]]
      return false;
    std::memcpy(to, fixed_, kCounterOffset);
    store_u64(to + kCounterOffset, next_++);
    used_up_ = next_ == first_;
    return true;
  }
  // Operations so far, modulo 2^64.
  [[nodiscard]] uint64_t taken() const { return next_ - first_; }
  // For tests and benches: as if so many had been given already, modulo 2^64.
  void skip(uint64_t count) { next_ += count; }

 private:
  static constexpr size_t kCounterOffset = 4;

  const uint64_t first_;
  uint64_t next_;
  uint8_t fixed_[kCounterOffset];
  bool used_up_ = false;
};

}  // namespace msgr
