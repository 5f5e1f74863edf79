// What a store costs where another core has read: the memory of a send slab, round and round. It says how the
// machine is at present rather than how the code is. Virtual CPUs move between cores that share a cache and such
// that do not, and between neighbours of all kinds, and stay that way for seconds.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace msgr::bench {

struct HandoverTimes {
  // Of 4 KiB written, in nanoseconds: of all slices of a quarter of a second.
  double least;
  double median;
  double most;
};

// The calling thread, to the nth of the CPUs that are allowed.
inline void pin_to_nth(const cpu_set_t& allowed, int nth) {
  int cpu = -1;
  for (int left = nth + 1; left > 0;) left -= CPU_ISSET(++cpu, &allowed) ? 1 : 0;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

// One thread writes payloads one behind the other, with a frame's gaps, into a ring of as much as three or four
// send slabs; the other copies what is ready. False where the process has one CPU only.
[[nodiscard]] inline bool measure_handover(uint32_t slices, HandoverTimes& times) {
  using Clock = std::chrono::steady_clock;
  using Nanoseconds = std::chrono::duration<double, std::nano>;
  constexpr size_t kRing = size_t{4} << 20;
  constexpr size_t kPart = size_t{256} << 10;
  constexpr size_t kPayload = 4096;
  constexpr size_t kFrame = kPayload + 154;
  constexpr auto kSlice = std::chrono::milliseconds(250);

  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2) return false;

  std::vector<uint8_t> ring(kRing);
  alignas(128) std::atomic<size_t> written{0};
  alignas(128) std::atomic<size_t> read{0};
  std::atomic<bool> over{false};
  std::thread reader([&] {
    pin_to_nth(allowed, 0);
    std::vector<uint8_t> copies(size_t{1} << 20);
    for (size_t at = 0; !over.load(); read.store(at += kPart)) {
      while (written.load() < at + kPart) {
        if (over.load()) return;
      }
      std::memcpy(copies.data() + at % copies.size(), ring.data() + at % kRing, kPart);
    }
  });
  std::vector<double> found;
  std::thread writer([&] {
    pin_to_nth(allowed, 1);
    const std::vector<uint8_t> payload(kPayload, 1);
    size_t at = 0;
    while (found.size() < slices) {
      const auto begin = Clock::now();
      Nanoseconds busy{0};
      size_t count = 0;
      while (Clock::now() - begin < kSlice) {
        while (at + 2 * kPart > read.load() + kRing) {
        }
        const auto before = Clock::now();
        for (size_t frame = 0; frame + kFrame <= kPart; frame += kFrame, count++) {
          std::memcpy(ring.data() + at % kRing + frame, payload.data(), kPayload);
        }
        busy += Clock::now() - before;
        written.store(at += kPart);
      }
      found.push_back(busy.count() / static_cast<double>(count));
    }
    over.store(true);
  });
  writer.join();
  reader.join();
  std::sort(found.begin(), found.end());
  times = {found.front(), found[found.size() / 2], found.back()};
  return true;
}

}  // namespace msgr::bench
