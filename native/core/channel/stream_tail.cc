#include "core/channel/stream_tail.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/base/check.h"

namespace msgr {

bool StreamTail::keep(Bytes bytes, size_t needed, SlabPool& pool) {
  MSGR_CHECK(empty() && !large());
  if (bytes.empty()) return true;
  if (needed > bytes.size() && needed > pool.slab_bytes() / 4) {
    slab_ = pool.take_large(needed);
    if (!slab_) return false;
    std::memcpy(slab_->data(), bytes.data(), bytes.size());
    slab_->used = static_cast<uint32_t>(bytes.size());
    needed_ = needed;
  } else {
    bytes_ = static_cast<uint8_t*>(std::malloc(bytes.size()));
    if (bytes_ == nullptr) return false;
    std::memcpy(bytes_, bytes.data(), bytes.size());
  }
  size_ = bytes.size();
  return true;
}

size_t StreamTail::move_to(uint8_t* to) {
  MSGR_CHECK(!large());
  const size_t size = size_;
  if (size == 0) return 0;
  std::memcpy(to, bytes_, size);
  clear();
  return size;
}

MutableBytes StreamTail::room() const {
  MSGR_CHECK(large());
  return {slab_->data() + size_, needed_ - size_};
}

void StreamTail::filled(size_t size) {
  MSGR_CHECK(large() && size <= needed_ - size_);
  size_ += size;
  slab_->used = static_cast<uint32_t>(size_);
}

SlabRef StreamTail::take() {
  MSGR_CHECK(large() && size_ == needed_);
  SlabRef slab = std::move(slab_);
  clear();
  return slab;
}

void StreamTail::clear() {
  std::free(bytes_);
  bytes_ = nullptr;
  size_ = 0;
  needed_ = 0;
  slab_ = {};
}

void StreamTail::swap(StreamTail& other) {
  std::swap(bytes_, other.bytes_);
  std::swap(size_, other.size_);
  std::swap(needed_, other.needed_);
  std::swap(slab_, other.slab_);
}

}  // namespace msgr
