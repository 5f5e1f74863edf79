// The ArrayBuffers of receive slabs, and V8's collections of them.
//
// Whether a receiver still looks at a slab only V8 knows, and it says so when it has collected the slab's buffer.
// It is late in doing so: it counts a buffer's bytes as external memory, and answers 8 to 64 MiB more of them (by its
// version, and by the heap at the last one) with a full collection, which costs as much as thousands of messages. A
// buffer dies young, so a collection of the young generation does as well. It is asked for here, whenever a few MiB
// of slabs have been made and are not collected; it takes 40 us, nearly all of it for V8's roots, so that half as
// often is half as dear, and twice as many slabs are still in the third-level cache.
//
// A buffer that lives through two collections is old, and only a full one sees that it is dead. So where little is
// received and a slab lasts long, it gets a new buffer after each collection that was not asked for here.
// Threads: JavaScript's.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/base/slab.h"

namespace msgr {

class ReceiveBuffers {
 public:
  // `collect_young` is a function without arguments; anything else leaves it all to V8.
  void open(napi_env env, napi_value collect_young);
  void close(napi_env env);

  // An ArrayBuffer over the whole slab, which holds a reference on it until it is collected. Null when the host
  // refuses external memory. `again` is said of a slab that has one already, which is about to be forgotten.
  [[nodiscard]] napi_value make(napi_env env, Slab& slab, bool again);
  // To be called before the buffers of a delivery are made: one that lives through two collections is old.
  void collect_if_due(napi_env env);
  // So many collections were seen that were not asked for here: the next may come at any time, and a buffer of before
  // the last one should not be used any more.
  [[nodiscard]] uint64_t collections() const { return seen_->collections; }

 private:
  // What only finalizers see; outlives this object, as buffers do.
  struct Seen {
    // Of the buffers that were not collected yet.
    size_t live_bytes = 0;
    uint64_t collections = 0;
    // Dead objects that wait for a collection, or for their finalizer; and of them those of one that was asked for.
    uint32_t watchers = 0;
    uint32_t asked_for = 0;
  };
  // What a buffer holds on to until it is collected.
  class Held;

  void watch_collections(napi_env env);

  // A collection is due when so many bytes of slabs have been made and live. V8 begins a full one when its old objects
  // and external bytes have grown by 8 MiB and a young generation since the last one, where the heap is small and has
  // been quiet; what a young collection has found dead still counts when it looks.
  static constexpr size_t kDueBytes = size_t{8} << 20;

  napi_ref collect_young_ = nullptr;
  std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
  // Of slabs that had none, since the last collection that was asked for.
  size_t made_bytes_ = 0;
};

}  // namespace msgr
