// What the peers written in C++ share: they do what src/cli/bench/server-role.ts and client-role.ts do, and say
// it in the same words. A client reads one task per line from standard input and answers each with a line; a
// server writes a line when it listens and one after each run. Both end when standard input does.
//
//     server →  {"listening":"ADDRESS"}                        server →  {"messages":…,"pings":…,…}
//     client ←  throughput BYTES SECONDS hot|rotating          client →  {"messages":…,"elapsedMs":…,…}
//     client ←  roundTrips BYTES SECONDS DEPTH                 client →  {…,"rttMs":{…}}
#pragma once

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace bench {

// As BenchType of src/cli/bench/link.ts.
enum Type : uint16_t { kData = 0x1001, kPing = 0x1002, kPong = 0x1003, kStart = 0x1004, kEnd = 0x1005 };

inline constexpr uint8_t kDataByte = 0x5a;
inline constexpr size_t kRotatingBytes = 16 << 20;
// Between two looks at the clock, as in client-role.ts.
inline constexpr size_t kBurstBytes = 64 << 10;
inline constexpr size_t kBurstCountMax = 256;

using Clock = std::chrono::steady_clock;

[[noreturn]] inline void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

inline void check(bool good, const char* what) {
  if (!good) fail(what);
}

// The bench may be killed: nobody else ends its peers.
inline void end_with_parent() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

inline double ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

inline uint64_t micros(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
}

// From `reset_peak` on.
inline uint64_t peak_bytes() {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return 0;
  char line[256];
  unsigned long long kib = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "VmHWM: %llu kB", &kib) == 1) break;
  }
  std::fclose(file);
  return kib * 1024;
}

inline void reset_peak() {
  std::FILE* file = std::fopen("/proc/self/clear_refs", "w");
  if (file == nullptr) return;
  std::fputs("5", file);
  std::fclose(file);
}

// One run as one end saw it.
class Run {
 public:
  Run() {
    reset_peak();
    getrusage(RUSAGE_SELF, &usage_);
    start_ = Clock::now();
  }

  [[nodiscard]] Clock::time_point start() const { return start_; }
  // The clock of a server runs from its first message on.
  void restart_clock() { start_ = Clock::now(); }

  // Writes `{"messages":…,"bytes":…,"pings":…,"elapsedMs":…,"cpu":{…},"peakBytes":…` and leaves it open.
  void print(uint64_t messages, uint64_t bytes, uint64_t pings) const {
    const double elapsed_ms = ms_between(start_, Clock::now());
    rusage now;
    getrusage(RUSAGE_SELF, &now);
    std::printf(
        "{\"messages\":%llu,\"bytes\":%llu,\"pings\":%llu,\"elapsedMs\":%.6f,"
        "\"cpu\":{\"userUs\":%llu,\"systemUs\":%llu},\"peakBytes\":%llu",
        static_cast<unsigned long long>(messages), static_cast<unsigned long long>(bytes),
        static_cast<unsigned long long>(pings), elapsed_ms,
        static_cast<unsigned long long>(micros(now.ru_utime) - micros(usage_.ru_utime)),
        static_cast<unsigned long long>(micros(now.ru_stime) - micros(usage_.ru_stime)),
        static_cast<unsigned long long>(peak_bytes()));
  }

 private:
  rusage usage_;
  Clock::time_point start_;
};

inline void end_line() {
  std::printf("}\n");
  std::fflush(stdout);
}

// What a server has of the present run.
struct Counts {
  uint64_t messages = 0;
  uint64_t bytes = 0;
  uint64_t pings = 0;
  uint64_t first_byte_sum = 0;

  // Says what was counted; every payload began with kDataByte or the run is worth nothing.
  void report(const Run& run) const {
    if (first_byte_sum != (messages + pings) * kDataByte) {
      std::fprintf(stderr, "the payloads that arrived are not the ones that were sent\n");
      std::exit(1);
    }
    run.print(messages, bytes, pings);
    end_line();
  }
};

// Payloads one behind the other, each with `prefix` bytes of room in front.
class Payloads {
 public:
  Payloads(size_t size, bool rotating, size_t prefix)
      : stride_(prefix + size),
        prefix_(prefix),
        count_(rotating ? std::max<size_t>(1, kRotatingBytes / size) : 1),
        bytes_(stride_ * count_) {
    for (size_t i = 0; i < count_; i++) {
      uint8_t* payload = bytes_.data() + i * stride_ + prefix;
      std::memset(payload, static_cast<int>(i & 0xff), size);
      payload[0] = kDataByte;
    }
  }

  // The next one's room in front.
  uint8_t* next() {
    uint8_t* at = bytes_.data() + index_ * stride_;
    if (++index_ == count_) index_ = 0;
    return at;
  }
  [[nodiscard]] size_t count() const { return count_; }

 private:
  size_t stride_;
  size_t prefix_;
  size_t count_;
  std::vector<uint8_t> bytes_;
  size_t index_ = 0;
};

inline size_t burst_count(size_t size) {
  return std::clamp<size_t>(kBurstBytes / std::max<size_t>(size, 1), 1, kBurstCountMax);
}

class RoundTrips {
 public:
  RoundTrips() { times_.reserve(1 << 20); }
  void record(double milliseconds) { times_.push_back(milliseconds); }
  [[nodiscard]] uint64_t count() const { return times_.size(); }

  // Appends `,"rttMs":{…}`.
  void print() {
    std::sort(times_.begin(), times_.end());
    const auto at = [&](double percent) {
      const auto rank = static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(times_.size())));
      return times_[rank == 0 ? 0 : rank - 1];
    };
    double sum = 0;
    for (const double time : times_) sum += time;
    std::printf(
        ",\"rttMs\":{\"min\":%.6f,\"p50\":%.6f,\"p90\":%.6f,\"p99\":%.6f,\"p999\":%.6f,\"p9999\":%.6f,"
        "\"max\":%.6f,\"mean\":%.6f}",
        times_.front(), at(50), at(90), at(99), at(99.9), at(99.99), times_.back(),
        sum / static_cast<double>(times_.size()));
  }

 private:
  std::vector<double> times_;
};

struct Task {
  bool is_throughput;
  size_t size;
  double seconds;
  bool rotating;
  uint32_t depth;

  [[nodiscard]] Clock::time_point deadline(Clock::time_point from) const {
    return from + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }
};

// The next line of standard input; false at its end.
inline bool read_task(Task& task) {
  char line[256];
  char call[32];
  char last[32];
  if (std::fgets(line, sizeof line, stdin) == nullptr) return false;
  if (std::sscanf(line, "%31s %zu %lf %31s", call, &task.size, &task.seconds, last) != 4 || task.size == 0) {
    std::fprintf(stderr, "not a task: %s\n", line);
    std::exit(1);
  }
  task.is_throughput = std::strcmp(call, "throughput") == 0;
  task.rotating = std::strcmp(last, "rotating") == 0;
  task.depth = task.is_throughput ? 1 : static_cast<uint32_t>(std::atoi(last));
  return true;
}

}  // namespace bench
