#include "core/base/slab.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/base/check.h"

namespace msgr {

namespace {

std::atomic<uint64_t> next_slab_id{1};

constexpr size_t kSlabBytesCeiling = 0x7fffffff;

size_t whole_pages(size_t bytes) {
  static const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

}  // namespace

Slab::Slab(SlabPool& pool, uint8_t* data, uint32_t capacity, bool standard)
    : pool_(pool),
      data_(data),
      capacity_(capacity),
      standard_(standard),
      id_(next_slab_id.fetch_add(1, std::memory_order_relaxed)) {}

Slab::~Slab() { munmap(data_, capacity_); }

void Slab::release() {
  // acq_rel: whoever reuses the memory must see the last access of every former holder as past.
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) pool_.give_back(this);
}

SlabPool* SlabPool::create(size_t slab_bytes, size_t idle_bytes_max) {
  MSGR_CHECK(slab_bytes > 0 && slab_bytes <= kSlabBytesCeiling / 2);
  return new SlabPool(whole_pages(slab_bytes), idle_bytes_max);
}

SlabPool::SlabPool(size_t slab_bytes, size_t idle_bytes_max)
    : slab_bytes_(slab_bytes), idle_bytes_max_(idle_bytes_max) {}

SlabPool::~SlabPool() { MSGR_CHECK(idle_.empty() && idle_large_.empty()); }

void SlabPool::close() {
  std::vector<Slab*> idle;
  bool last;
  {
    const std::lock_guard lock(mutex_);
    MSGR_CHECK(!closed_);
    closed_ = true;
    idle.swap(idle_);
    idle.insert(idle.end(), idle_large_.begin(), idle_large_.end());
    idle_large_.clear();
    idle_bytes_ = 0;
    last = live_count_ == 0;
  }
  for (Slab* slab : idle) delete slab;
  if (last) delete this;
}

Slab* SlabPool::map(size_t bytes, bool standard) {
  void* data =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return nullptr;
  return new Slab(*this, static_cast<uint8_t*>(data), static_cast<uint32_t>(bytes), standard);
}

SlabRef SlabPool::take() {
  {
    const std::lock_guard lock(mutex_);
    MSGR_CHECK(!closed_);
    live_count_++;
    if (!idle_.empty()) {
      // The one given back last is the warmest in the caches.
      Slab* slab = idle_.back();
      idle_.pop_back();
      idle_bytes_ -= slab->capacity_;
      slab->references_.store(1, std::memory_order_relaxed);
      slab->used = 0;
      return SlabRef::take_over(slab);
    }
  }
  Slab* slab = map(slab_bytes_, true);
  if (slab == nullptr) {
    const std::lock_guard lock(mutex_);
    live_count_--;
  }
  return SlabRef::take_over(slab);
}

SlabRef SlabPool::take_large(size_t bytes) {
  if (bytes == 0 || bytes > kSlabBytesCeiling) return {};
  // Sizes in steps of a standard slab: the next frame of about the same size finds the same slab warm.
  size_t wanted = (bytes + slab_bytes_ - 1) / slab_bytes_ * slab_bytes_;
  if (wanted > kSlabBytesCeiling) wanted = whole_pages(bytes - slab_bytes_) + slab_bytes_;
  if (wanted > kSlabBytesCeiling) return {};
  {
    const std::lock_guard lock(mutex_);
    MSGR_CHECK(!closed_);
    live_count_++;
    for (size_t i = idle_large_.size(); i > 0; i--) {
      Slab* slab = idle_large_[i - 1];
      // Twice the size at most, so that one large frame long ago is not held by a small one now.
      if (slab->capacity_ < wanted || slab->capacity_ / 2 > wanted) continue;
      idle_large_.erase(idle_large_.begin() + static_cast<ptrdiff_t>(i - 1));
      idle_bytes_ -= slab->capacity_;
      slab->references_.store(1, std::memory_order_relaxed);
      slab->used = 0;
      return SlabRef::take_over(slab);
    }
  }
  Slab* slab = map(wanted, false);
  if (slab == nullptr) {
    const std::lock_guard lock(mutex_);
    live_count_--;
  }
  return SlabRef::take_over(slab);
}

void SlabPool::give_back(Slab* slab) {
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    live_count_--;
    if (!closed_ && idle_bytes_ + slab->capacity_ <= idle_bytes_max_) {
      idle_bytes_ += slab->capacity_;
      (slab->standard_ ? idle_ : idle_large_).push_back(slab);
      return;
    }
    last = closed_ && live_count_ == 0;
  }
  delete slab;
  if (last) delete this;
}

void SlabPool::trim(size_t bytes) {
  std::vector<Slab*> trimmed;
  {
    const std::lock_guard lock(mutex_);
    for (auto* idle : {&idle_large_, &idle_}) {
      size_t count = 0;
      while (count < idle->size() && idle_bytes_ > bytes) idle_bytes_ -= (*idle)[count++]->capacity_;
      trimmed.insert(trimmed.end(), idle->begin(), idle->begin() + static_cast<ptrdiff_t>(count));
      idle->erase(idle->begin(), idle->begin() + static_cast<ptrdiff_t>(count));
    }
  }
  for (Slab* slab : trimmed) delete slab;
}

size_t SlabPool::live_count() const {
  const std::lock_guard lock(mutex_);
  return live_count_;
}

size_t SlabPool::idle_bytes() const {
  const std::lock_guard lock(mutex_);
  return idle_bytes_;
}

}  // namespace msgr
