// What the core costs without any socket: CRC by size and implementation, messages written, moved through
// memory and read, and secure mode beside AEAD alone. Prints one line per figure; each is the best of several
// rounds, as noise only ever adds time. And what the machine's caches cost two cores at present, noise and all.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "bench/measure_aead.h"
#include "bench/measure_handover.h"
#include "bench/measure_messages.h"
#include "core/wire/crc32c.h"

namespace {

using namespace msgr;
using namespace msgr::bench;

template <typename Work>
double best_seconds(Work work) {
  double best = 1e9;
  for (uint32_t round = 0; round < kRounds; round++) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    if (elapsed.count() < best) best = elapsed.count();
  }
  return best;
}

uint32_t sink;

void bench_crc() {
  std::printf("crc32c, GB/s\n%10s", "bytes");
  for (const Crc32cImplementation& implementation : crc32c_implementations()) {
    if (implementation.supported) std::printf(" %18s %18s", implementation.name, "with copy");
  }
  std::printf("\n");
  for (const size_t size : {28, 41, 64, 128, 256, 512, 1024, 4096, 65536, 1048576}) {
    std::vector<uint8_t> from(size, 0x5a);
    std::vector<uint8_t> to(size);
    const size_t repeats = std::max<size_t>(1, (32 << 20) / size / 4);
    std::printf("%10zu", size);
    for (const Crc32cImplementation& implementation : crc32c_implementations()) {
      if (!implementation.supported) continue;
      const size_t times = std::strcmp(implementation.name, "table") == 0 ? repeats / 8 + 1 : repeats;
      const double plain = best_seconds([&] {
        for (size_t i = 0; i < times; i++) sink += implementation.crc(sink, from.data(), size);
      });
      const double copying = best_seconds([&] {
        for (size_t i = 0; i < times; i++)
          sink += implementation.crc_copy(sink, to.data(), from.data(), size);
      });
      const double bytes = static_cast<double>(times * size);
      std::printf(" %18.2f %18.2f", bytes / plain / 1e9, bytes / copying / 1e9);
    }
    std::printf("\n");
  }
}

void bench_messages(uint32_t size, bool lossless, StreamMode mode) {
  const MessageTimes times = measure_messages(size, lossless, mode);
  std::printf("%10u %10s %8s %12.1f %12.1f %12.2f\n", size, lossless ? "lossless" : "lossy",
              mode == StreamMode::kSecure ? "secure" : "crc", times.write_ns, times.read_ns,
              1e3 / (times.write_ns + times.read_ns));
}

// Secure mode beside what AEAD alone allows, as JSON for who compares: bytes per second of payload on one core.
void bench_secure() {
  constexpr uint32_t kMilliseconds = 300;
  const char* separator = "";
  std::printf("[");
  for (const uint32_t size : {64u, 1024u, 4096u, 65536u}) {
    const AeadSpeed aead = measure_aead(size, kMilliseconds);
    const MessageTimes times = measure_messages(size, true, StreamMode::kSecure);
    const double write = size / times.write_ns * 1e9;
    const double read = size / times.read_ns * 1e9;
    std::printf(
        "%s\n  { \"bytes\": %u, \"aeadSeal\": %.0f, \"aeadOpen\": %.0f, \"write\": %.0f, \"read\": %.0f, "
        "\"writeShare\": %.3f, \"readShare\": %.3f }",
        separator, size, aead.seal_bytes_per_second, aead.open_bytes_per_second, write, read,
        write / aead.seal_bytes_per_second, read / aead.open_bytes_per_second);
    separator = ",";
  }
  std::printf("\n]\n");
}

void bench_handover() {
  constexpr uint32_t kSlices = 20;
  HandoverTimes times;
  if (!measure_handover(kSlices, times)) return;
  std::printf("4 KiB written where another core has read: %.0f ns, %.0f to %.0f in %u slices of 0.25 s\n",
              times.median, times.least, times.most, kSlices);
}

}  // namespace

// Arguments: none for everything; `crc`; `secure`; `handover`; `messages`, and then perhaps one size in bytes.
int main(int argument_count, char** arguments) {
  const std::string what = argument_count > 1 ? arguments[1] : "";
  if (what == "" || what == "crc") bench_crc();
  if (what == "" || what == "messages") {
    std::printf("messages\n%10s %10s %8s %12s %12s %12s\n", "bytes", "session", "mode", "write ns", "read ns",
                "both, M/s");
    std::vector<uint32_t> sizes{64, 1024, 4096, 65536};
    if (argument_count > 2) sizes = {static_cast<uint32_t>(std::stoul(arguments[2]))};
    for (const uint32_t size : sizes) {
      for (const bool lossless : {false, true}) bench_messages(size, lossless, StreamMode::kCrc);
      bench_messages(size, true, StreamMode::kSecure);
    }
  }
  if (what == "" || what == "secure") bench_secure();
  if (what == "" || what == "handover") bench_handover();
  return sink == 1 ? 2 : 0;
}
