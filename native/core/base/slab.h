// Memory that frames live in, from the socket to JavaScript and back: mapped regions with a reference
// count, and the pool that keeps a bounded number of them warm (their pages already faulted in; fresh
// ones cost up to a third of the throughput).
//
// Ownership: a Slab lives as long as somebody holds a reference (SlabRef, or retain/release by hand for
// the finalizer of an external ArrayBuffer). The last release gives it back to its pool. The pool lives
// as long as its owner or any slab of it does, so a finalizer may run after the loop is gone.
// Threads: retain, release, take and take_large may be called on any thread. `used` belongs to the one
// thread that fills the slab.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace msgr {

class SlabPool;

class Slab {
 public:
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  [[nodiscard]] uint8_t* data() const { return data_; }
  // Bytes; at most 2^31 - 1, so that offsets fit a record.
  [[nodiscard]] uint32_t capacity() const { return capacity_; }
  // Unique among the slabs of one process, never reused: the binding's key to what it made of this slab.
  [[nodiscard]] uint64_t id() const { return id_; }
  // True for a slab of take(), false for one of take_large().
  [[nodiscard]] bool standard() const { return standard_; }

  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  void release();
  [[nodiscard]] bool unique() const { return references_.load(std::memory_order_acquire) == 1; }

  // Where the next byte goes; reset to 0 when the slab leaves the pool.
  uint32_t used = 0;

 private:
  friend class SlabPool;
  Slab(SlabPool& pool, uint8_t* data, uint32_t capacity, bool standard);
  ~Slab();

  SlabPool& pool_;
  uint8_t* const data_;
  const uint32_t capacity_;
  const bool standard_;
  const uint64_t id_;
  std::atomic<uint32_t> references_{1};
};

// One reference, or none.
class SlabRef {
 public:
  SlabRef() = default;
  // Takes over a reference that exists already.
  [[nodiscard]] static SlabRef take_over(Slab* slab) {
    SlabRef reference;
    reference.slab_ = slab;
    return reference;
  }
  explicit SlabRef(Slab& slab) : slab_(&slab) { slab.retain(); }
  SlabRef(const SlabRef& other) : slab_(other.slab_) {
    if (slab_ != nullptr) slab_->retain();
  }
  SlabRef(SlabRef&& other) noexcept : slab_(std::exchange(other.slab_, nullptr)) {}
  SlabRef& operator=(SlabRef other) noexcept {
    std::swap(slab_, other.slab_);
    return *this;
  }
  ~SlabRef() {
    if (slab_ != nullptr) slab_->release();
  }

  [[nodiscard]] Slab* get() const { return slab_; }
  Slab& operator*() const { return *slab_; }
  Slab* operator->() const { return slab_; }
  explicit operator bool() const { return slab_ != nullptr; }
  // Gives the reference up without releasing it.
  [[nodiscard]] Slab* leave() { return std::exchange(slab_, nullptr); }

 private:
  Slab* slab_ = nullptr;
};

class SlabPool {
 public:
  // `slab_bytes` of each standard slab (rounded up to whole pages). At most `idle_bytes_max` wait for
  // reuse, large slabs included; beyond, a released slab is unmapped. The caller owns one reference and
  // gives it back with close().
  [[nodiscard]] static SlabPool* create(size_t slab_bytes, size_t idle_bytes_max);
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  // Unmaps what is idle and keeps nothing any more; the pool ends when the last slab has come back.
  void close();

  // An empty standard slab, warm if one is idle. No reference when the system has no memory.
  [[nodiscard]] SlabRef take();
  // A slab of at least `bytes` of its own: mapped without reserve, so that a length which a peer only
  // declares commits nothing before the bytes arrive. No reference when it cannot be had.
  [[nodiscard]] SlabRef take_large(size_t bytes);

  // Unmaps idle slabs, those idle longest first, until at most `bytes` wait.
  void trim(size_t bytes);

  [[nodiscard]] size_t slab_bytes() const { return slab_bytes_; }
  // Slabs that somebody holds, and bytes that wait for reuse: for tests and gauges.
  [[nodiscard]] size_t live_count() const;
  [[nodiscard]] size_t idle_bytes() const;

 private:
  friend class Slab;
  SlabPool(size_t slab_bytes, size_t idle_bytes_max);
  ~SlabPool();
  void give_back(Slab* slab);
  [[nodiscard]] Slab* map(size_t bytes, bool standard);

  const size_t slab_bytes_;
  const size_t idle_bytes_max_;
  mutable std::mutex mutex_;
  std::vector<Slab*> idle_;
  std::vector<Slab*> idle_large_;
  size_t idle_bytes_ = 0;
  size_t live_count_ = 0;
  bool closed_ = false;
};

}  // namespace msgr
