// Whether to keep asking for input for a short while instead of sleeping. Falling asleep and being woken
// costs tens of microseconds, which is most of a ping; but a loop that spins after every lone message
// burns a core for nothing. So it spins only while messages have lately followed one another closely.
#pragma once

#include <algorithm>
#include <cstdint>

namespace msgr {

// With fewer CPUs a loop on its own thread and the host's thread would take the CPU from each other, or from
// the peer, by spinning at the same time.
inline constexpr unsigned kCpusForTwoSpinners = 4;

// What one turn brought, and what was answered.
struct LoopTraffic {
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
  // What came last came through shared memory, where a look costs the sender nothing.
  bool by_link = false;
};

class BusyPoll {
 public:
  // Spins for `window_us` after the last traffic, and up to four times as long while messages use to come
  // within that time; 0: never.
  explicit BusyPoll(uint32_t window_us)
      : window_ns_(uint64_t{window_us} * 1000), average_gap_ns_(gap_max()) {}

  [[nodiscard]] bool enabled() const { return window_ns_ != 0; }

  // Without `traffic` there was some of which no more is known.
  void on_traffic(uint64_t now_ns, const LoopTraffic& traffic = {}) {
    const uint64_t bytes = traffic.bytes_received;
    if (bytes >= kStreamBytes) next_look_ns_ = now_ns + (traffic.by_link ? kLinkPauseNs : kStreamPauseNs);
    bulk_ = bytes >= kBulkBytes && traffic.bytes_sent < bytes / kAnsweredPart && !traffic.by_link;
    const uint64_t gap = std::min(now_ns - last_traffic_ns_, gap_max());
    if (resting_ > 0) {
      resting_--;
    } else if (average_gap_ns_ < 4 * window_ns_) {
      judge(gap < patience_ns());
    }
    last_traffic_ns_ = now_ns;
    average_gap_ns_ = (average_gap_ns_ * 7 + gap) / 8;
  }

  // Whether to look for input already. Whoever looks at a stream without a pause takes it in pieces of a few
  // KiB, and each of them costs a system call, a delivery and an acknowledgement: three to five times as much as
  // the same bytes in pieces of 64 KiB.
  [[nodiscard]] bool looks(uint64_t now_ns) const { return now_ns >= next_look_ns_; }

  // A loop that sleeps between its pings sees gaps of a wake-up more than one that polls, and one that is
  // fed tens of KiB at a time sees gaps of as long as the sender takes to fill them: both are worth the wait,
  // as the next input is likely to come before a sleep and a wake-up would be over. Who is fed in bulk by a socket
  // and answers little sleeps: nobody waits then, and meanwhile the sender makes the next read larger.
  [[nodiscard]] bool wanted(uint64_t now_ns) const {
    if (bulk_ || resting_ > 0 || average_gap_ns_ >= 4 * window_ns_) return false;
    return now_ns - last_traffic_ns_ < patience_ns();
  }

 private:
  // So many spins in vain, one after the other, and it rests for so many messages; twice as many each time.
  static constexpr uint32_t kMissesMax = 8;
  static constexpr uint32_t kRestMin = 256;
  static constexpr uint32_t kRestMax = 4096;

  // So much at once is no ping.
  static constexpr uint64_t kStreamBytes = 16 * 1024;
  static constexpr uint64_t kStreamPauseNs = 30'000;
  static constexpr uint64_t kLinkPauseNs = 10'000;
  // And so much is not worth a look at all.
  static constexpr uint64_t kBulkBytes = 96 * 1024;
  // Unless so large a part of it is sent as well: requests and answers, many under way.
  static constexpr uint64_t kAnsweredPart = 4;

  [[nodiscard]] uint64_t gap_max() const { return 16 * window_ns_; }
  [[nodiscard]] uint64_t patience_ns() const {
    return std::clamp(2 * average_gap_ns_, window_ns_, 4 * window_ns_);
  }

  // On a host whose processors are all busy the peer may wait for the very core that spins: its answer then
  // comes just after the spin was given up, every time. Whoever sees that sleeps instead.
  void judge(bool found) {
    if (found) {
      misses_ = 0;
      if (++hits_ >= kMissesMax) rest_ = kRestMin;
      return;
    }
    hits_ = 0;
    if (++misses_ < kMissesMax) return;
    misses_ = 0;
    resting_ = rest_;
    rest_ = std::min(rest_ * 2, kRestMax);
  }

  const uint64_t window_ns_;
  uint64_t last_traffic_ns_ = 0;
  uint64_t next_look_ns_ = 0;
  // What came last was so much.
  bool bulk_ = false;
  uint64_t average_gap_ns_;
  uint32_t misses_ = 0;
  uint32_t hits_ = 0;
  uint32_t rest_ = kRestMin;
  // Messages that are still to come before it spins again.
  uint32_t resting_ = 0;
};

}  // namespace msgr
