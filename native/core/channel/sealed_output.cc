#include "core/channel/sealed_output.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace msgr {

namespace {

// A rest up to this part of a slab does not keep the slab.
constexpr uint32_t kRestPart = 16;

}  // namespace

MutableBytes SealedOutput::room(SlabPool& pool) {
  if (!slab_) slab_ = pool.take();
  if (!slab_) return {};
  return {slab_->data() + end_, slab_->capacity() - end_};
}

size_t SealedOutput::gather(iovec* to, size_t count_max) const {
  size_t count = 0;
  const auto add = [&](const uint8_t* data, size_t size) {
    if (size > 0 && count < count_max) to[count++] = {const_cast<uint8_t*>(data), size};
  };
  add(rest_.data() + rest_written_, rest_.size() - rest_written_);
  if (slab_) add(slab_->data() + begin_, end_ - begin_);
  return count;
}

void SealedOutput::wrote(size_t size) {
  MSGR_CHECK(size <= this->size());
  const size_t of_rest = std::min(size, rest_.size() - rest_written_);
  rest_written_ += of_rest;
  begin_ += static_cast<uint32_t>(size - of_rest);
  if (slab_ && this->size() <= slab_->capacity() / kRestPart) {
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(rest_written_));
    rest_.insert(rest_.end(), slab_->data() + begin_, slab_->data() + end_);
    rest_written_ = 0;
    slab_ = {};
    begin_ = 0;
    end_ = 0;
  }
  if (rest_written_ == rest_.size()) {
    rest_ = {};
    rest_written_ = 0;
  }
}

void SealedOutput::clear() {
  rest_ = {};
  rest_written_ = 0;
  slab_ = {};
  begin_ = 0;
  end_ = 0;
}

void SealedOutput::swap(SealedOutput& other) {
  std::swap(rest_, other.rest_);
  std::swap(rest_written_, other.rest_written_);
  std::swap(slab_, other.slab_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
}

}  // namespace msgr
