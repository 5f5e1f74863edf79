#include "core/channel/outbox.h"

#include <algorithm>

#include "core/base/check.h"

namespace msgr {

namespace {

// Empty rings for more frames than this are freed at once; so many frames pay for the next growth.
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

// A frame with lent pieces, without its first `skip` bytes. False when the list was full before its end.
[[nodiscard]] bool add_lent(IovecList& list, const uint8_t* frame, uint32_t slab_size, const Lent& lent,
                            uint32_t skip) {
  uint32_t done = 0;
  for (uint32_t i = 0; i < lent.count; i++) {
    const LentPiece& piece = lent.pieces[i];
    if (!add_after(list, frame + done, piece.at - done, skip) ||
        !add_after(list, piece.data, piece.size, skip)) {
      return false;
    }
    done = piece.at;
  }
  return add_after(list, frame + done, slab_size - done, skip);
}

}  // namespace

Outbox::~Outbox() {
  clear();
  release_idle_memory();
}

uint32_t Outbox::wire_size(const Run& run) {
  uint32_t size = run.end - run.begin;
  if (run.lent != nullptr) [[unlikely]] {
    for (uint32_t i = 0; i < run.lent->count; i++) size += run.lent->pieces[i].size;
  }
  return size;
}

uint32_t Outbox::begin_of(const Place& place) const {
  return place.frames == 0 ? runs_[place.run].begin : ends_[place.entry - 1];
}

uint32_t Outbox::size_of_first(uint32_t count) const {
  if (count == 0) return 0;
  const Run& run = runs_[0];
  return count == run.count ? wire_size(run) : ends_[count - 1] - run.begin;
}

uint32_t Outbox::frames_until(const Place& place, uint32_t offset) const {
  uint32_t low = 0;
  uint32_t high = runs_[place.run].count - place.frames - 1;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (ends_[place.entry + middle] < offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low + 1;
}

void Outbox::push(uint64_t seq, Slab& slab, uint32_t offset, uint32_t slab_size, const Lent* lent) {
  MSGR_CHECK(count() == 0 || seq == first_seq_ + count());
  MSGR_CHECK(uint64_t{offset} + slab_size <= slab.capacity());
  const uint32_t end = offset + slab_size;
  if (count() == 0) first_seq_ = seq;
  ends_.push(end);
  bytes_ += slab_size;
  if (runs_.size() > 0) [[likely]] {
    Run& last = runs_.back();
    if (last.slab == &slab && last.end == offset && last.lent == nullptr && lent == nullptr) [[likely]] {
      last.end = end;
      last.count++;
      return;
    }
  }
  if (runs_.size() == 0 || runs_.back().slab != &slab) slab.retain();
  Run run{&slab, nullptr, offset, end, 1};
  if (lent != nullptr) [[unlikely]] {
    if (free_lents_.empty()) {
      run.lent = new Lent(*lent);
    } else {
      run.lent = free_lents_.back();
      free_lents_.pop_back();
      *run.lent = *lent;
    }
    bytes_ += wire_size(run) - slab_size;
  }
  runs_.push(run);
}

void Outbox::push_run(uint64_t first_seq, Slab& slab, uint32_t offset, const uint32_t* ends,
                      uint32_t count) {
  push(first_seq, slab, offset, ends[0] - offset);
  const uint32_t end = ends[count - 1];
  MSGR_CHECK(end <= slab.capacity());
  for (uint32_t i = 1; i < count; i++) ends_.push(ends[i]);
  Run& run = runs_.back();
  bytes_ += end - run.end;
  run.end = end;
  run.count += count - 1;
}

void Outbox::pop_run() {
  const Run run = runs_[0];
  runs_.drop(1);
  if (run.lent != nullptr) [[unlikely]] {
    for (uint32_t i = 0; i < run.lent->count; i++) {
      if (run.lent->tokens[i] != 0) releases_.push_back(run.lent->tokens[i]);
    }
    free_lents_.push_back(run.lent);
  }
  if (runs_.size() == 0 || runs_[0].slab != run.slab) run.slab->release();
}

// The first `count` entries; none of them is the one that the cursor stands inside.
void Outbox::drop(size_t count) {
  while (count > 0) {
    Run& run = runs_[0];
    const auto dropped = static_cast<uint32_t>(std::min<size_t>(count, run.count));
    const uint32_t written = cursor_.run > 0 ? dropped : std::min(dropped, cursor_.frames);
    const uint32_t size = size_of_first(dropped);
    bytes_ -= size;
    written_bytes_ -= written == dropped ? size : size_of_first(written);
    cursor_.entry -= written;
    if (cursor_.run == 0) cursor_.frames -= written;
    if (dropped < run.count) {
      run.begin += size;
      run.count -= dropped;
    } else {
      if (cursor_.run > 0) cursor_.run--;
      pop_run();
    }
    ends_.drop(dropped);
    first_seq_ += dropped;
    count -= dropped;
  }
}

size_t Outbox::gather_runs(Place place, uint32_t skip, iovec* to, size_t count_max, size_t bytes_max,
                           size_t& bytes) const {
  IovecList list(to, count_max);
  const size_t goal = bytes_max > bytes ? bytes_max - bytes : 0;
  for (; place.run < runs_.size() && list.bytes() < goal; place.run++, place.frames = 0, skip = 0) {
    const Run& run = runs_[place.run];
    if (place.frames == run.count) continue;
    if (run.lent == nullptr) [[likely]] {
      const uint32_t begin = begin_of(place) + skip;
      const size_t room = goal - list.bytes();
      // Whole frames: the last one may end behind the goal.
      uint32_t count = run.count - place.frames;
      uint32_t end = run.end;
      if (end - begin > room) {
        count = frames_until(place, begin + static_cast<uint32_t>(room));
        end = ends_[place.entry + count - 1];
      }
      if (!list.add(run.slab->data() + begin, end - begin)) break;
      place.entry += count;
      continue;
    }
    if (!add_lent(list, run.slab->data() + run.begin, run.end - run.begin, *run.lent, skip)) break;
    place.entry++;
  }
  bytes += list.bytes();
  return list.count();
}

size_t Outbox::gather(iovec* to, size_t count_max, size_t bytes_max, size_t& bytes, bool skip_partial) const {
  if (skip_partial && cursor_offset_ > 0) {
    const Place next{cursor_.entry + 1, cursor_.run, cursor_.frames + 1};
    return gather_runs(next, 0, to, count_max, bytes_max, bytes);
  }
  return gather_runs(cursor_, cursor_offset_, to, count_max, bytes_max, bytes);
}

size_t Outbox::gather_partial(iovec* to, size_t count_max, size_t& bytes) const {
  if (cursor_offset_ == 0) return 0;
  return gather_runs(cursor_, cursor_offset_, to, count_max, bytes + partial_rest(), bytes);
}

uint32_t Outbox::partial_rest() const {
  if (cursor_offset_ == 0) return 0;
  const Run& run = runs_[cursor_.run];
  const uint32_t size = run.lent != nullptr ? wire_size(run) : ends_[cursor_.entry] - begin_of(cursor_);
  return size - cursor_offset_;
}

// The cursor passed the ends of so many frames of its run.
void Outbox::passed(uint32_t frames) {
  const uint64_t before = first_seq_ + cursor_.entry - 1;
  const uint64_t last = before + frames;
  cursor_.entry += frames;
  cursor_.frames += frames;
  cursor_offset_ = 0;
  const uint64_t written_before = std::clamp(written_seq_, before, last);
  replayed_count_ += written_before - before;
  written_seq_ = std::max(written_seq_, last);
}

size_t Outbox::wrote(size_t size) {
  const size_t entry_before = cursor_.entry;
  written_bytes_ += size;
  while (size > 0) {
    MSGR_CHECK(cursor_.run < runs_.size());
    const Run& run = runs_[cursor_.run];
    const uint32_t left = run.count - cursor_.frames;
    if (left == 0) {
      cursor_.run++;
      cursor_.frames = 0;
      continue;
    }
    const uint32_t begin = begin_of(cursor_);
    const uint32_t rest = (run.lent != nullptr ? wire_size(run) : run.end - begin) - cursor_offset_;
    if (size >= rest) {
      size -= rest;
      passed(left);
      continue;
    }
    const auto offset = cursor_offset_ + static_cast<uint32_t>(size);
    size = 0;
    if (run.lent != nullptr) {
      cursor_offset_ = offset;
      continue;
    }
    // It ends in a frame, which is the last of those that it takes to get one byte further.
    const uint32_t whole = frames_until(cursor_, begin + offset + 1) - 1;
    if (whole > 0) passed(whole);
    cursor_offset_ = begin + offset - begin_of(cursor_);
  }
  const size_t finished = cursor_.entry - entry_before;
  if (!keep_written_) drop(cursor_.entry);
  if (count() == 0 && ends_.capacity() > kIdleCapacityMax) free_rings();
  return finished;
}

void Outbox::set_keep_written(bool keep) {
  keep_written_ = keep;
  if (!keep_written_) drop(cursor_.entry);
}

size_t Outbox::acknowledge(uint64_t seq) {
  seq = std::min(seq, written_seq_);
  if (count() == 0 || seq < first_seq_) return 0;
  size_t trimmed = static_cast<size_t>(std::min<uint64_t>(seq - first_seq_ + 1, count()));
  // Cutting a frame off in the middle would leave the peer in the middle of it.
  if (cursor_offset_ > 0) trimmed = std::min(trimmed, cursor_.entry);
  drop(trimmed);
  if (count() == 0 && ends_.capacity() > kIdleCapacityMax) free_rings();
  return trimmed;
}

void Outbox::release_idle_memory() {
  if (count() > 0) return;
  free_rings();
  for (Lent* lent : free_lents_) delete lent;
  free_lents_ = {};
}

void Outbox::free_rings() {
  runs_.free_memory();
  ends_.free_memory();
}

void Outbox::rewind() {
  cursor_ = {};
  cursor_offset_ = 0;
  written_bytes_ = 0;
}

void Outbox::clear() {
  rewind();
  drop(count());
  free_rings();
  written_seq_ = 0;
  MSGR_CHECK(bytes_ == 0 && runs_.size() == 0);
}

}  // namespace msgr
