// The end of what was read from one socket that does not make a whole frame yet, or that the handshake
// has not asked for. Kept apart from the loop's shared receive slab, so that an unfinished frame pins no
// slab of 1 MiB, and an idle connection holds nothing.
//
// Small: a copy of exactly the bytes. Large (the frame needs more than a quarter of a receive slab): a
// slab of the frame's own size, which the socket is then read straight into.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/slab.h"

namespace msgr {

class StreamTail {
 public:
  StreamTail() = default;
  StreamTail(const StreamTail&) = delete;
  StreamTail& operator=(const StreamTail&) = delete;
  ~StreamTail() { clear(); }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Bytes held.
  [[nodiscard]] size_t size() const { return size_; }

  // Keeps a copy of `bytes`, the beginning of a frame that needs `needed` bytes in all (0: unknown).
  // Must be empty. False when no memory can be had.
  [[nodiscard]] bool keep(Bytes bytes, size_t needed, SlabPool& pool);

  // Small only: copies the bytes to `to` and is empty then. Answers how many they were.
  size_t move_to(uint8_t* to);

  // True while a large frame gathers in a slab of its own.
  [[nodiscard]] bool large() const { return static_cast<bool>(slab_); }
  // Large only: where its missing bytes go. Never longer than the frame.
  [[nodiscard]] MutableBytes room() const;
  void filled(size_t size);
  // Large only, once the frame is whole (room() is empty): the slab, whose `used` is the frame's size.
  [[nodiscard]] SlabRef take();

  void clear();
  void swap(StreamTail& other);

 private:
  uint8_t* bytes_ = nullptr;
  size_t size_ = 0;
  SlabRef slab_;
  size_t needed_ = 0;
};

}  // namespace msgr
