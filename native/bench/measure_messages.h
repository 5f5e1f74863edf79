// One side's share of a message's way, without any socket: frames finished in a send slab and gathered, their
// bytes copied once as the socket would, then parsed into records and acknowledged.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/channel/channel.h"
#include "core/crypto/stream_secrets.h"
#include "core/wire/frame_writer.h"

namespace msgr::bench {

constexpr uint32_t kRounds = 7;

inline Limits bench_limits() {
  Limits limits;
  limits.control_payload_bytes_max = 64 * 1024;
  limits.message_bytes_max = 256 * 1024 * 1024;
  limits.lend_bytes_min = 16 * 1024;
  limits.slab_bytes = 1024 * 1024;
  limits.receive_turn_bytes_max = 1024 * 1024;
  limits.channel_queue_bytes_max = 1024 * 1024;
  limits.unread_within_host_bytes_max = 1024 * 1024;
  return limits;
}

// Nanoseconds per message; the best of many short rounds, as noise only ever adds time.
struct MessageTimes {
  double write_ns;
  double read_ns;
};

inline MessageTimes measure_messages(uint32_t size, bool lossless, StreamMode mode) {
  const Limits limits = bench_limits();
  SlabPool* pool = SlabPool::create(limits.slab_bytes, 64 << 20);
  MessageTimes times{1e9, 1e9};
  {
    LentReleases releases;
    const ChannelContext context{limits, *pool, releases};
    ChannelCounters counters[2];
    Channel sender(context, counters[0], 0);
    Channel receiver(context, counters[1], 1);
    for (Channel* channel : {&sender, &receiver}) {
      channel->open();
      const uint8_t key[kAeadKeySize] = {7};
      const uint8_t nonces[2][kAeadNonceSize] = {{1}, {2}};
      const bool is_sender = channel == &sender;
      StreamSecrets secrets;
      if (mode == StreamMode::kSecure &&
          (!secrets.assign(key, nonces[is_sender ? 0 : 1], nonces[is_sender ? 1 : 0]) ||
           !channel->secure(secrets))) {
        std::exit(1);
      }
      channel->start_session(lossless);
    }
    const MessageSizes sizes{size, 0, 0};
    const auto frame_bytes = static_cast<uint32_t>(message_frame_size(sizes));
    const auto count = static_cast<uint32_t>(std::max<size_t>(1, (384 << 10) / frame_bytes));
    // 64 MiB a round, or 200,000 messages where that is less.
    const uint32_t repeats = std::max(1u, std::min(200000 / count, (64u << 20) / (count * frame_bytes)));
    const SlabRef out = pool->take();
    const SlabRef in = pool->take();
    std::memset(out->data(), 0x5a, out->capacity());
    std::vector<SendRecord> outgoing;
    for (uint32_t i = 0; i < count; i++) {
      outgoing.push_back({.channel = 0,
                          .type_and_priority = 70 | 127u << 16,
                          .versions = 0,
                          .tid_low = i,
                          .tid_high = 0,
                          .front_length = size,
                          .middle_length = 0,
                          .data_length = 0});
    }
    std::vector<Record> table(count + 8);
    std::vector<RecordPlace> places(count + 8);
    RecordBatch batch(table.data(), places.data(), count + 8);
    batch.reserve_slabs(4);
    iovec vectors[64];
    for (uint32_t round = 0; round < kRounds * repeats; round++) {
      const auto start = std::chrono::steady_clock::now();
      sender.append_run(outgoing.data(), count, *out, 0);
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
      const auto nanoseconds = [&](std::chrono::steady_clock::duration elapsed) {
        return std::chrono::duration<double, std::nano>(elapsed).count() / count;
      };
      times.write_ns = std::min(times.write_ns, nanoseconds(middle - start - copying));
      times.read_ns = std::min(times.read_ns, nanoseconds(end - middle));
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
  }
  pool->close();
  return times;
}

}  // namespace msgr::bench
