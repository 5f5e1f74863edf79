#include "core/io/channel_table.h"

#include <new>

namespace msgr {

uint32_t ChannelTable::take() {
  const std::lock_guard lock(mutex_);
  uint32_t id;
  if (!free_.empty()) {
    id = free_.back();
    free_.pop_back();
  } else {
    if (next_ == kChannelsMax) return kNone;
    if (next_ % kChunkChannels == 0) {
      SlabRef chunk = pool_.take_large(kChunkChannels * sizeof(ChannelCounters));
      if (!chunk) return kNone;
      chunks_.push_back(std::move(chunk));
    }
    id = next_++;
  }
  new (chunks_[id / kChunkChannels]->data() + id % kChunkChannels * sizeof(ChannelCounters)) ChannelCounters;
  return id;
}

void ChannelTable::give_back(uint32_t id) {
  const std::lock_guard lock(mutex_);
  free_.push_back(id);
}

ChannelCounters& ChannelTable::counters(uint32_t id) {
  const std::lock_guard lock(mutex_);
  return reinterpret_cast<ChannelCounters*>(chunks_[id / kChunkChannels]->data())[id % kChunkChannels];
}

SlabRef ChannelTable::chunk(uint32_t index) {
  const std::lock_guard lock(mutex_);
  return index < chunks_.size() ? chunks_[index] : SlabRef();
}

}  // namespace msgr
