// Where the bytes that a FrameReader looks at are. They have their place in one piece of memory, and either are there
// (PresentBytes), or the last of them are still in a ring that another process writes (LateBytes), and are copied as
// they are looked at: a copy waits for memory and a CRC for the core's multiplier, so that both in one take little
// more than the longer of the two.
//
// What is looked at as more than payload is looked at in its place only, after it was copied there: in the ring it
// may change.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "core/base/bytes.h"
#include "core/wire/crc32c.h"
#include "core/wire/epilogue.h"

namespace msgr {

struct PresentBytes {
  // Has everything before `end` in its place.
  void want(const uint8_t*) const {}
  // The CRC of a segment, which is in its place afterwards.
  [[nodiscard]] uint32_t crc_of(const uint8_t* data, uint32_t size) const { return segment_crc(data, size); }
};

class LateBytes {
 public:
  // Smaller frames are better copied many at a time, all before the first is looked at.
  static constexpr size_t kFrameBytesMin = 512;

  // None.
  LateBytes() = default;
  // Those of `first` and `second` belong at `to`, one behind the other.
  LateBytes(uint8_t* to, Bytes first, Bytes second) : to_(to), first_(first), second_(second) { settle(); }

  // Those that are not in their place yet.
  [[nodiscard]] size_t size() const { return first_.size() + second_.size(); }

  // As above, as far as there are so many.
  void want(const uint8_t* end) {
    if (!first_.empty() && to_ < end) copy(static_cast<size_t>(end - to_));
  }
  void want_all() { copy(size()); }

  [[nodiscard]] uint32_t crc_of(const uint8_t* data, uint32_t size) {
    if (data != to_ || size == 0 || size > first_.size()) {
      want(data + size);
      return segment_crc(data, size);
    }
    const uint32_t crc = crc32c_copy(kSegmentSeed, to_, first_.data(), size);
    pass(size);
    return crc;
  }

 private:
  void copy(size_t count) {
    while (count > 0 && !first_.empty()) {
      const size_t some = std::min(count, first_.size());
      std::memcpy(to_, first_.data(), some);
      count -= some;
      pass(some);
    }
  }
  void pass(size_t count) {
    to_ += count;
    first_ = first_.subspan(count);
    settle();
  }
  void settle() {
    if (first_.empty()) std::swap(first_, second_);
  }

  // Where the next byte goes, and where it stands; `first_` is empty only when nothing is left.
  uint8_t* to_ = nullptr;
  Bytes first_;
  Bytes second_;
};

}  // namespace msgr
