// What one delivery carries: records, and the slab that the loop reads sockets into. Its owner is a driver,
// which lends it to the loop between two deliveries.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/slab.h"
#include "core/channel/record.h"

namespace msgr {

class ReceiveBatch {
 public:
  // Less room than this is not worth a system call.
  static constexpr size_t kRoomMin = 64 * 1024;
  static constexpr int kPoison = 0xa5;

  // `poison`: bytes that nobody keeps are overwritten before they are reused, so that a receiver who kept
  // them all the same notices.
  ReceiveBatch(Record* table, RecordPlace* places, uint32_t capacity, bool poison = false)
      : records_(table, places, capacity), poison_(poison) {}

  [[nodiscard]] RecordBatch& records() { return records_; }
  // False after renew() found no memory.
  [[nodiscard]] bool ready() const { return static_cast<bool>(slab_); }
  [[nodiscard]] Slab& slab() const { return *slab_; }
  [[nodiscard]] size_t room() const { return slab_->capacity() - slab_->used; }
  // The loop needs so many bytes in one piece before it can go on.
  void want_room(size_t bytes) { room_wanted_ = std::max(room_wanted_, bytes); }

  // Makes it ready for the loop: no records, and a slab with room. `kept`: somebody still looks at what
  // was delivered, so its bytes stay. False when the system has no memory.
  [[nodiscard]] bool renew(bool kept, SlabPool& pool) {
    records_.clear();
    if (slab_) {
      if (kept) {
        kept_ = slab_->used;
      } else if (poison_) {
        std::memset(slab_->data() + kept_, kPoison, slab_->used - kept_);
      }
      slab_->used = static_cast<uint32_t>(kept_);
    }
    if (!slab_ || room() < std::max(kRoomMin, room_wanted_)) {
      slab_ = pool.take();
      kept_ = 0;
    }
    room_wanted_ = 0;
    if (!slab_) return false;
    // The shared slab is always number 0 of its batch.
    (void)records_.slab_index(*slab_);
    return true;
  }

 private:
  RecordBatch records_;
  SlabRef slab_;
  size_t room_wanted_ = 0;
  const bool poison_;
  // Bytes at the slab's beginning that an earlier delivery left in somebody's hands.
  size_t kept_ = 0;
};

}  // namespace msgr
