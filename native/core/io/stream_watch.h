// Tells a stream from everything else: large transfers that follow one another on one connection, with nothing of
// other connections between them. What a stream gets, socket buffers as large as the kernel likes, is memory that
// leaves the caches, and costs more than it brings where connections take turns.
//
// One for each direction of a loop. Threads: one, that of its loop.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/io/connection.h"

namespace msgr {

// Bytes in one system call; with fewer its own cost shows.
inline constexpr size_t kLargeTransferBytes = 64 * 1024;

class StreamWatch {
 public:
  // The connection moves so many bytes in one call. Whether that belongs to a stream.
  bool moves(const Connection& connection, size_t bytes) {
    if (latest_ != connection.tag()) {
      if (latest_ != SocketTag{0, 0}) weight_ = kWeightAfterOthers;
      latest_ = connection.tag();
    }
    if (bytes >= kLargeTransferBytes) {
      weight_ = std::min(kWeightMax, weight_ + kLargeWeight);
    } else if (weight_ > 0) {
      weight_--;
    }
    return weight_ > kLargeWeight;
  }

 private:
  // The second large transfer makes a stream, and some dozen small ones behind one another end it: the last of a
  // full queue may be small.
  static constexpr int kLargeWeight = 4;
  static constexpr int kWeightMax = 16;
  // With others between, it takes seventeen, 8 MiB of full flushes.
  static constexpr int kWeightAfterOthers = -15 * kLargeWeight;

  // Of the last transfer.
  SocketTag latest_{0, 0};
  int weight_ = 0;
};

}  // namespace msgr
