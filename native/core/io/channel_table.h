// Numbers of channels and the memory of their counters, which JavaScript reads without a call.
//
// A number is taken by whoever makes a channel (JavaScript's thread for one that connects, the loop's for
// one that was accepted) and given back on JavaScript's thread once the channel's last record, kDestroyed,
// has been delivered: until then records of the old channel may still be on their way.
//
//      chunk 0: counters of channels 0..255     chunk 1: 256..511     …     one slab of 32 KiB each
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "core/base/slab.h"
#include "core/channel/channel_counters.h"

namespace msgr {

class ChannelTable {
 public:
  static constexpr uint32_t kChunkChannels = 256;
  static constexpr uint32_t kNone = 0xffffffff;
  // Numbers fit an epoll tag beside the listeners' bit; far more than there are descriptors.
  static constexpr uint32_t kChannelsMax = 1 << 24;

  explicit ChannelTable(SlabPool& pool) : pool_(pool) {}

  // A free number with counters of zero; kNone when there is no memory or no number left. Any thread.
  [[nodiscard]] uint32_t take();
  void give_back(uint32_t id);
  // The same address as long as the table lives. Any thread.
  [[nodiscard]] ChannelCounters& counters(uint32_t id);
  [[nodiscard]] SlabRef chunk(uint32_t index);

 private:
  SlabPool& pool_;
  std::mutex mutex_;
  std::vector<SlabRef> chunks_;
  std::vector<uint32_t> free_;
  uint32_t next_ = 0;
};

}  // namespace msgr
