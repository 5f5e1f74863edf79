// What the core costs without any socket: CRC by size and implementation, and messages written, moved
// through memory and read. Prints one line per figure; each is the best of several rounds, as noise only
// ever adds time.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/channel/channel.h"
#include "core/wire/crc32c.h"
#include "core/wire/frame_writer.h"

namespace {

using namespace msgr;

constexpr int kRounds = 7;

template <typename Work>
double best_seconds(Work work) {
  double best = 1e9;
  for (int round = 0; round < kRounds; round++) {
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

Limits bench_limits() {
  Limits limits;
  limits.control_payload_bytes_max = 64 * 1024;
  limits.message_bytes_max = 256 * 1024 * 1024;
  limits.lend_bytes_min = 64 * 1024;
  limits.slab_bytes = 1024 * 1024;
  limits.receive_turn_bytes_max = 1024 * 1024;
  limits.channel_queue_bytes_max = 1024 * 1024;
  return limits;
}

// One side's share of a message's way: frames finished in a send slab and gathered, their bytes copied
// once as the socket would, then parsed into records and acknowledged.
void bench_messages(uint32_t size, bool lossless) {
  const Limits limits = bench_limits();
  SlabPool* pool = SlabPool::create(limits.slab_bytes, 64 << 20);
  {
    LentReleases releases;
    const ChannelContext context{limits, *pool, releases};
    ChannelCounters counters[2];
    Channel sender(context, counters[0], 0);
    Channel receiver(context, counters[1], 1);
    for (Channel* channel : {&sender, &receiver}) {
      channel->open();
      channel->start_session(lossless);
    }
    const MessageSizes sizes{size, 0, 0};
    const auto frame_bytes = static_cast<uint32_t>(message_frame_size(sizes));
    const auto count = static_cast<uint32_t>(std::max<size_t>(1, (512 << 10) / frame_bytes));
    // 64 MiB a round, or 200,000 messages where that is less.
    const uint32_t repeats = std::max(1u, std::min(200000 / count, (64u << 20) / (count * frame_bytes)));
    const SlabRef out = pool->take();
    const SlabRef in = pool->take();
    std::memset(out->data(), 0x5a, out->capacity());
    std::vector<Record> records(count + 8);
    RecordBatch batch(records.data(), count + 8);
    batch.reserve_slabs(4);
    iovec vectors[64];
    double write_best = 1e9;
    double read_best = 1e9;
    for (int round = 0; round < kRounds; round++) {
      double write_seconds = 0;
      double read_seconds = 0;
      for (uint32_t repeat = 0; repeat < repeats; repeat++) {
        const auto start = std::chrono::steady_clock::now();
        OutgoingMessage message{};
        message.type = 70;
        message.priority = 127;
        message.sizes = sizes;
        message.slab = out.get();
        for (uint32_t i = 0; i < count; i++) {
          message.offset = i * frame_bytes;
          message.tid = i;
          sender.append(message);
        }
        uint32_t filled = 0;
        std::chrono::steady_clock::duration copying{};
        while (sender.wants_output()) {
          const size_t vector_count = sender.gather(vectors, 64, 512 * 1024);
          size_t bytes = 0;
          const auto copy_start = std::chrono::steady_clock::now();
          for (size_t i = 0; i < vector_count; i++) {
            std::memcpy(in->data() + filled, vectors[i].iov_base, vectors[i].iov_len);
            filled += static_cast<uint32_t>(vectors[i].iov_len);
            bytes += vectors[i].iov_len;
          }
          copying += std::chrono::steady_clock::now() - copy_start;
          sender.wrote(bytes);
        }
        const auto middle = std::chrono::steady_clock::now();
        const ReceiveResult result = receiver.received(*in, 0, filled, batch);
        if (result.consumed != filled || batch.count() != count) {
          std::fprintf(stderr, "lost messages\n");
          std::exit(1);
        }
        batch.clear();
        const auto end = std::chrono::steady_clock::now();
        write_seconds += std::chrono::duration<double>(middle - start - copying).count();
        read_seconds += std::chrono::duration<double>(end - middle).count();
        // The acknowledgement's way back, not timed.
        if (lossless) {
          const size_t vector_count = receiver.gather(vectors, 64, 4096);
          size_t bytes = 0;
          for (size_t i = 0; i < vector_count; i++) {
            std::memcpy(in->data() + bytes, vectors[i].iov_base, vectors[i].iov_len);
            bytes += vectors[i].iov_len;
          }
          receiver.wrote(bytes);
          (void)sender.received(*in, 0, static_cast<uint32_t>(bytes), batch);
          (void)sender.flush_events(batch);
          batch.clear();
        }
      }
      write_best = std::min(write_best, write_seconds);
      read_best = std::min(read_best, read_seconds);
    }
    const double messages = static_cast<double>(count) * repeats;
    std::printf("%10u %10s %12.1f %12.1f %12.2f\n", size, lossless ? "lossless" : "lossy",
                write_best / messages * 1e9, read_best / messages * 1e9,
                messages / (write_best + read_best) / 1e6);
  }
  pool->close();
}

}  // namespace

// Arguments: none for everything; `crc`; `messages`, and then perhaps one size in bytes.
int main(int argument_count, char** arguments) {
  const std::string what = argument_count > 1 ? arguments[1] : "";
  if (what != "messages") bench_crc();
  if (what != "crc") {
    std::printf("messages\n%10s %10s %12s %12s %12s\n", "bytes", "session", "write ns", "read ns",
                "both, M/s");
    std::vector<uint32_t> sizes{64, 1024, 4096, 65536};
    if (argument_count > 2) sizes = {static_cast<uint32_t>(std::stoul(arguments[2]))};
    for (const uint32_t size : sizes) {
      for (const bool lossless : {false, true}) bench_messages(size, lossless);
    }
  }
  return sink == 1 ? 2 : 0;
}
