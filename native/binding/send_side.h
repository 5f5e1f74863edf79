// The way down: send slabs that TypeScript writes payloads into, and the send tables that say where.
//
// A slab is current until it is full. It comes back for reuse once every frame in it has left the outboxes,
// which its reference count tells. TypeScript's view of a slab is made once and lives as long as the slab
// stays in its slot.
// Threads: JavaScript's, but for consume(), which runs on the loop's.
#pragma once

#include <node_api.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "binding/shared_memory.h"
#include "core/base/limits.h"
#include "core/base/slab.h"
#include "core/io/event_loop.h"

namespace msgr {

struct LentPayload {
  uint32_t token;
  const uint8_t* data;
};

class SendSide {
 public:
  // The messages of one table, whose frames lie in `slab` from `offset` on.
  struct Table {
    const SendRecord* records;
    uint32_t count;
    Slab* slab;
    uint32_t offset;
  };

  SendSide(SlabPool& pool, uint8_t* memory, const SharedLayout& layout);
  SendSide(const SendSide&) = delete;
  SendSide& operator=(const SendSide&) = delete;

  // Lets go of TypeScript's views.
  void close(napi_env env);

  // Makes another slab current, with room for `bytes`, and answers its Uint8Array; null when there is no memory.
  // The present table must have been taken.
  [[nodiscard]] napi_value next_slab(napi_env env, uint32_t bytes);
  // Notes where the next lent payload of the present table lies, in the order of the table and front
  // before data. `token` comes back once the bytes are no longer needed.
  void lend(uint32_t token, Bytes bytes) { lent_.push_back({token, bytes.data()}); }

  [[nodiscard]] bool empty() const { return control_[Control::kSendCount] == 0; }
  // Puts every message of the present table into its channel's outbox, at once.
  void take(EventLoop& loop, LentReleases& releases);
  // The same for a loop on another thread: the command to post. TypeScript goes on with another table;
  // `wait` is called when none is free, and must return only when the loop has caught up.
  [[nodiscard]] std::function<void(EventLoop&)> hand_over(LentReleases& releases,
                                                          const std::function<void()>& wait);
  // Nothing of the current slab is in use any more: TypeScript begins at its start again, where the cache is
  // warm.
  void rewind_if_unused();

 private:
  struct Slot {
    Slab* slab = nullptr;
    napi_ref view = nullptr;
  };
  // Slabs that wait in their slots for reuse; more are given back to the pool.
  static constexpr uint32_t kIdleSlots = 8;

  [[nodiscard]] napi_value make_current(napi_env env, uint32_t slot);
  void begin();
  [[nodiscard]] bool fill(napi_env env, Slot& slot, uint32_t bytes);
  void drop(napi_env env, Slot& slot);
  [[nodiscard]] Table present() const;
  void use_table(uint32_t table);
  void start_table();
  [[nodiscard]] Slab* current() const;

  SlabPool& pool_;
  uint8_t* const memory_;
  const SharedLayout layout_;
  int32_t* const control_;
  // The one that TypeScript writes.
  uint32_t table_ = 0;
  std::vector<Slot> slots_;
  std::vector<LentPayload> lent_;
  std::vector<std::atomic<bool>> in_use_;
};

}  // namespace msgr
