#include "core/channel/outbox.h"

#include <algorithm>

#include "core/base/check.h"

namespace msgr {

namespace {

constexpr size_t kFirstCapacity = 16;
// An empty ring above this (96 KiB) is freed at once; so many frames pay for the next one's growth.
constexpr size_t kIdleCapacityMax = 4096;

// Adds bytes to a list of iovecs, as part of the last one where they follow on it. False when it is full.
class IovecList {
 public:
  IovecList(iovec* to, size_t count_max) : to_(to), count_max_(count_max) {}

  [[nodiscard]] bool add(const uint8_t* data, size_t size) {
    if (size == 0) return true;
    if (count_ > 0) {
      iovec& last = to_[count_ - 1];
      if (static_cast<const uint8_t*>(last.iov_base) + last.iov_len == data) {
        last.iov_len += size;
        bytes_ += size;
        return true;
      }
    }
    if (count_ == count_max_) return false;
    to_[count_++] = {const_cast<uint8_t*>(data), size};
    bytes_ += size;
    return true;
  }
  [[nodiscard]] size_t count() const { return count_; }
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  iovec* to_;
  size_t count_max_;
  size_t count_ = 0;
  size_t bytes_ = 0;
};

// Adds a piece of a frame without its first `skip` bytes, and counts `skip` down.
[[nodiscard]] bool add_after(IovecList& list, const uint8_t* data, uint32_t size, uint32_t& skip) {
  const uint32_t skipped = std::min(skip, size);
  skip -= skipped;
  return list.add(data + skipped, size - skipped);
}

}  // namespace

Outbox::~Outbox() {
  clear();
  release_idle_memory();
}

uint32_t Outbox::wire_size(const Entry& entry) {
  uint32_t size = entry.slab_size;
  if (entry.lent != nullptr) [[unlikely]] {
    for (uint32_t i = 0; i < entry.lent->count; i++) size += entry.lent->pieces[i].size;
  }
  return size;
}

void Outbox::grow() {
  const size_t capacity = capacity_ == 0 ? kFirstCapacity : 2 * capacity_;
  auto* entries = new Entry[capacity];
  for (size_t i = 0; i < count_; i++) entries[i] = at(i);
  delete[] entries_;
  entries_ = entries;
  capacity_ = capacity;
  head_ = 0;
}

void Outbox::push(uint64_t seq, Slab& slab, uint32_t offset, uint32_t slab_size, const Lent* lent) {
  MSGR_CHECK(count_ == 0 || seq == first_seq_ + count_);
  MSGR_CHECK(uint64_t{offset} + slab_size <= slab.capacity());
  if (count_ == capacity_) [[unlikely]]
    grow();
  if (count_ == 0) {
    first_seq_ = seq;
    slab.retain();
  } else if (at(count_ - 1).slab != &slab) {
    slab.retain();
  }
  Entry entry{&slab, nullptr, offset, slab_size};
  if (lent != nullptr) [[unlikely]] {
    if (free_lents_.empty()) {
      entry.lent = new Lent(*lent);
    } else {
      entry.lent = free_lents_.back();
      free_lents_.pop_back();
      *entry.lent = *lent;
    }
  }
  count_++;
  at(count_ - 1) = entry;
  bytes_ += wire_size(entry);
}

void Outbox::pop_front() {
  const Entry entry = at(0);
  const uint32_t size = wire_size(entry);
  bytes_ -= size;
  if (cursor_ > 0) {
    cursor_--;
    written_bytes_ -= size;
  } else {
    written_bytes_ -= cursor_offset_;
    cursor_offset_ = 0;
  }
  head_ = (head_ + 1) & (capacity_ - 1);
  count_--;
  first_seq_++;
  if (entry.lent != nullptr) [[unlikely]] {
    for (uint32_t i = 0; i < entry.lent->count; i++) {
      if (entry.lent->tokens[i] != 0) releases_.push_back(entry.lent->tokens[i]);
    }
    free_lents_.push_back(entry.lent);
  }
  if (count_ == 0 || at(0).slab != entry.slab) entry.slab->release();
}

size_t Outbox::gather_entries(size_t index, size_t end, uint32_t skip, iovec* to, size_t count_max,
                              size_t bytes_max, size_t& bytes) const {
  IovecList list(to, count_max);
  const size_t goal = bytes_max > bytes ? bytes_max - bytes : 0;
  for (; index < end && list.bytes() < goal; index++) {
    const Entry& entry = at(index);
    const uint8_t* frame = entry.slab->data() + entry.offset;
    if (entry.lent == nullptr) [[likely]] {
      if (!list.add(frame + skip, entry.slab_size - skip)) break;
      skip = 0;
      continue;
    }
    uint32_t done = 0;
    bool fits = true;
    for (uint32_t i = 0; i < entry.lent->count && fits; i++) {
      const LentPiece& piece = entry.lent->pieces[i];
      fits = add_after(list, frame + done, piece.at - done, skip) &&
             add_after(list, piece.data, piece.size, skip);
      done = piece.at;
    }
    if (!fits || !add_after(list, frame + done, entry.slab_size - done, skip)) break;
  }
  bytes += list.bytes();
  return list.count();
}

size_t Outbox::gather(iovec* to, size_t count_max, size_t bytes_max, size_t& bytes, bool skip_partial) const {
  if (skip_partial && cursor_offset_ > 0) {
    return gather_entries(cursor_ + 1, count_, 0, to, count_max, bytes_max, bytes);
  }
  return gather_entries(cursor_, count_, cursor_offset_, to, count_max, bytes_max, bytes);
}

size_t Outbox::gather_partial(iovec* to, size_t count_max, size_t& bytes) const {
  if (cursor_offset_ == 0) return 0;
  return gather_entries(cursor_, cursor_ + 1, cursor_offset_, to, count_max, SIZE_MAX, bytes);
}

uint32_t Outbox::partial_rest() const {
  return cursor_offset_ == 0 ? 0 : wire_size(at(cursor_)) - cursor_offset_;
}

size_t Outbox::wrote(size_t size) {
  size_t finished = 0;
  while (size > 0) {
    MSGR_CHECK(cursor_ < count_);
    const uint32_t rest = wire_size(at(cursor_)) - cursor_offset_;
    if (size < rest) {
      cursor_offset_ += static_cast<uint32_t>(size);
      written_bytes_ += size;
      break;
    }
    size -= rest;
    written_bytes_ += rest;
    const uint64_t seq = first_seq_ + cursor_;
    cursor_++;
    cursor_offset_ = 0;
    finished++;
    if (seq > written_seq_) {
      written_seq_ = seq;
    } else {
      replayed_count_++;
    }
    if (!keep_written_) pop_front();
  }
  if (count_ == 0 && capacity_ > kIdleCapacityMax) free_ring();
  return finished;
}

void Outbox::set_keep_written(bool keep) {
  keep_written_ = keep;
  while (!keep_written_ && cursor_ > 0) pop_front();
}

size_t Outbox::acknowledge(uint64_t seq) {
  seq = std::min(seq, written_seq_);
  if (count_ == 0 || seq < first_seq_) return 0;
  size_t trimmed = static_cast<size_t>(std::min<uint64_t>(seq - first_seq_ + 1, count_));
  // Cutting a frame off in the middle would leave the peer in the middle of it.
  if (cursor_offset_ > 0) trimmed = std::min(trimmed, cursor_);
  for (size_t i = 0; i < trimmed; i++) pop_front();
  if (count_ == 0 && capacity_ > kIdleCapacityMax) free_ring();
  return trimmed;
}

void Outbox::release_idle_memory() {
  if (count_ > 0) return;
  free_ring();
  for (Lent* lent : free_lents_) delete lent;
  free_lents_ = {};
}

void Outbox::free_ring() {
  delete[] entries_;
  entries_ = nullptr;
  capacity_ = 0;
  head_ = 0;
}

void Outbox::rewind() {
  cursor_ = 0;
  cursor_offset_ = 0;
  written_bytes_ = 0;
}

void Outbox::clear() {
  while (count_ > 0) pop_front();
  free_ring();
  written_seq_ = 0;
  MSGR_CHECK(bytes_ == 0 && written_bytes_ == 0 && cursor_ == 0 && cursor_offset_ == 0);
}

}  // namespace msgr
