// Whether a stream goes faster with its pages given to the socket or with copies of them (page_pipe.h). On some
// machines the one wins a third, on others the other one, and what it costs one core to write what the other has read
// changes from minute to minute: so both are tried by turns, and the faster one is kept for a while (D51).
//
//      pages, copies, pages, copies ──► the faster one, for 64 MiB; for twice as much each time it stays the faster one
//              ▲                                                                      │
//              └──────────────────────────────────────────────────────────────────────┘
//
// One for each loop, as at any time it has one stream at most (stream_watch.h). Threads: one, that of its loop.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace msgr {

class PageTrial {
 public:
  PageTrial() { begin_trial(); }

  [[nodiscard]] bool gives_pages() const { return pages_; }

  // A stream has moved so many bytes, at this time.
  void moved(size_t bytes, uint64_t now_ns) {
    const uint64_t gap_ns = now_ns - latest_ns_;
    latest_ns_ = now_ns;
    left_ -= static_cast<int64_t>(bytes);
    // The stream has stood still; and what was under way went the other way still.
    if (gap_ns <= kGapNsMax && !keeps_ && left_ < kMeasuredBytes) {
      bytes_ += bytes;
      time_ns_ += gap_ns;
    }
    if (left_ > 0) return;
    if (keeps_) {
      begin_trial();
    } else {
      end_turn();
    }
  }

 private:
  // Of a turn: 2 MiB are under way to a peer that has not read them, and about as much waits.
  static constexpr int64_t kSettlingBytes = 4 * 1024 * 1024;
  static constexpr int64_t kMeasuredBytes = 8 * 1024 * 1024;
  // The best of so many turns counts: whatever comes in between only makes a turn slower.
  static constexpr int kTurnsEach = 2;
  static constexpr int64_t kKeptBytesMin = 64 * 1024 * 1024;
  static constexpr int64_t kKeptBytesMax = 2048LL * 1024 * 1024;
  static constexpr uint64_t kGapNsMax = 5'000'000;
  // Pages must be faster by a twentieth: memory that is given away comes back later.
  static constexpr double kPagesMargin = 0.95;
  static constexpr double kNever = 1e30;

  void begin_trial() {
    keeps_ = false;
    turns_ = 0;
    pages_best_ = copies_best_ = kNever;
    begin_turn(true);
  }

  void begin_turn(bool pages) {
    pages_ = pages;
    left_ = kSettlingBytes + kMeasuredBytes;
    bytes_ = 0;
    time_ns_ = 0;
  }

  void end_turn() {
    double& best = pages_ ? pages_best_ : copies_best_;
    if (bytes_ > 0) best = std::min(best, static_cast<double>(time_ns_) / static_cast<double>(bytes_));
    if (++turns_ < 2 * kTurnsEach) {
      begin_turn(!pages_);
      return;
    }
    const bool pages = pages_best_ < copies_best_ * kPagesMargin;
    kept_bytes_ = pages == kept_pages_ ? std::min(kept_bytes_ * 2, kKeptBytesMax) : kKeptBytesMin;
    kept_pages_ = pages;
    pages_ = pages;
    keeps_ = true;
    left_ = kept_bytes_;
  }

  bool pages_;
  bool keeps_;
  int turns_;
  // Until the turn is over, or the next trial.
  int64_t left_;
  uint64_t latest_ns_ = 0;
  uint64_t bytes_;
  uint64_t time_ns_;
  // Nanoseconds for a byte.
  double pages_best_;
  double copies_best_;
  // What the last trial said. The first one keeps the least, whatever it says.
  bool kept_pages_ = false;
  int64_t kept_bytes_ = kKeptBytesMin / 2;
};

}  // namespace msgr
