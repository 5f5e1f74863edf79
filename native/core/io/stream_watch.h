// Tells a stream from everything else: large transfers that follow one another on one connection, with no other
// connection's between them. What a stream is worth (socket buffers, slabs for itself) would cost more than it
// brings where many connections take turns.
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
    const bool same = latest_ == connection.tag();
    if (bytes < kLargeTransferBytes) {
      if (same && weight_ > 0) weight_--;
    } else {
      weight_ = std::min(kWeightMax, (same ? weight_ : 0) + kLargeWeight);
      latest_ = connection.tag();
    }
    return latest_ == connection.tag() && weight_ > kLargeWeight;
  }

 private:
  // The second large transfer makes a stream, and some dozen small ones behind one another end it: the last of a
  // full queue may be small.
  static constexpr int kLargeWeight = 4;
  static constexpr int kWeightMax = 16;

  // Of the last large transfer.
  SocketTag latest_{0, 0};
  int weight_ = 0;
};

}  // namespace msgr
