// One direction of a link through memory that two processes share: a ring of bytes with one writer and one reader.
//
//      written ──► up to here the reader may read            both only grow; their difference is what is unread
//      read    ──► up to here the writer may write again
//      origin      the count that lies at the front of the bytes
//
// A ring that is empty begins anew at its front, so that little traffic stays in little memory: a hundred links that
// each went through all of their rings would never find anything in a cache.
//
// Whoever goes to sleep says so (`…_waits`) and looks once more; the other side takes the word back when it has
// changed something, and rings (shared_link.h). The order of these four steps is what no wake-up is lost by: each side
// stores its own word and then loads the other's, all four sequentially consistent, so that one of the two sees the
// other's. (Not by fences, which ThreadSanitizer does not know.)
//
// The other side may be hostile: its count is used only after a look at whether it can be true, and `origin` only as
// a place in the ring, which any number is. Bytes are to be copied out before anybody looks at them, as they may change
// under the eyes.
// Threads: one at each side.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/bytes.h"

namespace msgr {

// At the front of a ring's memory. What each side writes has a cache line pair of its own.
struct SharedRingWords {
  alignas(128) std::atomic<uint64_t> written;
  // Changed before `written` is, and only when all that was written has been read.
  std::atomic<uint64_t> origin;
  alignas(128) std::atomic<uint64_t> read;
  alignas(128) std::atomic<uint32_t> reader_waits;
  alignas(128) std::atomic<uint32_t> writer_waits;
};
static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free);

class SharedRingWriter {
 public:
  // `size`, a power of two, bytes at `bytes`.
  SharedRingWriter(SharedRingWords& words, uint8_t* bytes, size_t size)
      : words_(words), bytes_(bytes), size_(size) {}

  // Bytes that were taken; -EAGAIN: the ring is full; -EPROTO: the reader's word cannot be true.
  ssize_t write(const iovec* pieces, size_t count) {
    size_t room = 0;
    if (!look(room)) return -EPROTO;
    if (room == 0) return -EAGAIN;
    if (room == size_) {
      origin_ = written_;
      words_.origin.store(origin_, std::memory_order_relaxed);
    }
    size_t taken = 0;
    for (size_t i = 0; i < count && taken < room; i++) {
      const auto* from = static_cast<const uint8_t*>(pieces[i].iov_base);
      const size_t some = std::min(pieces[i].iov_len, room - taken);
      const size_t at = (written_ - origin_ + taken) & (size_ - 1);
      const size_t first = std::min(some, size_ - at);
      std::memcpy(bytes_ + at, from, first);
      std::memcpy(bytes_, from + first, some - first);
      taken += some;
    }
    written_ += taken;
    words_.written.store(written_, std::memory_order_seq_cst);
    return static_cast<ssize_t>(taken);
  }

  // After a write: whether the reader is to be woken, which it is told once.
  [[nodiscard]] bool must_ring() {
    return words_.reader_waits.load(std::memory_order_seq_cst) != 0 && words_.reader_waits.exchange(0) != 0;
  }

  // Asks to be woken when half of the ring is free. False: it has room already, and nobody will ring.
  [[nodiscard]] bool wait() {
    words_.writer_waits.store(1, std::memory_order_seq_cst);
    size_t room = 0;
    if (look(room) && room < size_ / 2) return true;
    words_.writer_waits.store(0, std::memory_order_relaxed);
    return false;
  }

 private:
  [[nodiscard]] bool look(size_t& room) const {
    const uint64_t unread = written_ - words_.read.load(std::memory_order_seq_cst);
    if (unread > size_) return false;
    room = size_ - unread;
    return true;
  }

  SharedRingWords& words_;
  uint8_t* const bytes_;
  const size_t size_;
  // Ours; what stands in the memory is for the reader only.
  uint64_t written_ = 0;
  uint64_t origin_ = 0;
};

class SharedRingReader {
 public:
  SharedRingReader(SharedRingWords& words, const uint8_t* bytes, size_t size)
      : words_(words), bytes_(bytes), size_(size) {}

  // Up to `size` bytes as they lie in the ring, in two pieces of which the second may be empty, and how many they are;
  // -EAGAIN: none is there; -EPROTO: the writer's word cannot be true.
  ssize_t look(size_t size, Bytes& first, Bytes& second) const {
    const uint64_t unread = words_.written.load(std::memory_order_acquire) - read_;
    if (unread > size_) return -EPROTO;
    if (unread == 0) return -EAGAIN;
    const size_t some = std::min<size_t>(size, unread);
    // Whatever it says, it is a place in the ring.
    const size_t at = (read_ - words_.origin.load(std::memory_order_relaxed)) & (size_ - 1);
    const size_t before_end = std::min(some, size_ - at);
    first = {bytes_ + at, before_end};
    second = {bytes_, some - before_end};
    return static_cast<ssize_t>(some);
  }

  // So many of them have been copied, and may be written over.
  void passed(size_t size) {
    read_ += size;
    words_.read.store(read_, std::memory_order_seq_cst);
  }

  // After passed(): whether the writer is to be woken, which it is told once.
  [[nodiscard]] bool must_ring() {
    if (words_.writer_waits.load(std::memory_order_seq_cst) == 0) return false;
    const uint64_t unread = words_.written.load(std::memory_order_relaxed) - read_;
    return unread <= size_ / 2 && words_.writer_waits.exchange(0) != 0;
  }

  [[nodiscard]] bool empty() const { return words_.written.load(std::memory_order_seq_cst) == read_; }

  // Asks to be woken when bytes are there. A look at empty() is to follow: what is there already is not rung for.
  void ask() { words_.reader_waits.store(1, std::memory_order_seq_cst); }
  void stop_asking() {
    // Not written to for nothing: the writer looks at it.
    if (words_.reader_waits.load(std::memory_order_relaxed) != 0) {
      words_.reader_waits.store(0, std::memory_order_relaxed);
    }
  }

 private:
  SharedRingWords& words_;
  const uint8_t* const bytes_;
  const size_t size_;
  uint64_t read_ = 0;
};

}  // namespace msgr
