// Sealed bytes that wait for one socket. They are made in a slab of the pool just before they are written and
// mostly leave at once, so that an idle channel holds nothing. Should the socket not take all of them, the
// rest stays in the slab if it is much of it, and moves to memory of its own size if not: a peer that reads
// slowly costs about what it leaves unread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/slab.h"

namespace msgr {

class SealedOutput {
 public:
  SealedOutput() = default;
  SealedOutput(const SealedOutput&) = delete;
  SealedOutput& operator=(const SealedOutput&) = delete;

  [[nodiscard]] bool empty() const { return size() == 0; }
  // Bytes that wait.
  [[nodiscard]] size_t size() const { return rest_.size() - rest_written_ + end_ - begin_; }

  // Where further bytes go, at the end of the slab's use; it has a slab from then on. No data when no memory
  // can be had.
  [[nodiscard]] MutableBytes room(SlabPool& pool);
  // So many were put there.
  void added(size_t size) { end_ += static_cast<uint32_t>(size); }

  // What waits, in order; at most `count_max` iovecs.
  [[nodiscard]] size_t gather(iovec* to, size_t count_max) const;
  // The socket took `size` bytes of them.
  void wrote(size_t size);

  void clear();
  void swap(SealedOutput& other);

 private:
  // Goes before what lies in the slab.
  std::vector<uint8_t> rest_;
  size_t rest_written_ = 0;
  SlabRef slab_;
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
};

}  // namespace msgr
