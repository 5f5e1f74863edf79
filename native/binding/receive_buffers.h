// The ArrayBuffers of receive slabs, and V8's collections of them.
//
// V8 counts a buffer's bytes as external memory, and answers some 64 MiB more of them with a full collection,
// which costs as much as thousands of messages. A slab dies young, so a collection of the young generation, a
// fraction of a millisecond, would do. V8 has two occasions to think of that:
//
//   it allocates a buffer's memory itself, with enough bytes of young buffers about: 32 MiB in Node 20 and 22,
//   64 in 26. So each slab is followed by a buffer of one byte. In Node 24 it takes 128, and comes too late;
//
//   the young generation is full. So in Node 24 slabs are followed by garbage when a collection is due.
//
// In vain where the young generation is larger than the garbage: then it is tried again after ever longer
// pauses.
//
// A buffer that lives through two collections is old, and only a full one sees that it is dead. So where little is
// received and a slab lasts long, it gets a new buffer after each collection.
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
  // An ArrayBuffer over the whole slab, which holds a reference on it until it is collected. Null when the host
  // refuses external memory.
  [[nodiscard]] napi_value make(napi_env env, Slab& slab);
  // So many collections were seen. A buffer of before the last one should not be used any more.
  [[nodiscard]] uint64_t collections() const { return seen_->collections; }

 private:
  // What only finalizers see; outlives this object, as buffers do.
  struct Seen {
    // Of the buffers that were not collected yet.
    size_t live_bytes = 0;
    uint64_t collections = 0;
  };
  // What a buffer holds on to until it is collected.
  class Held;

  void watch_collections(napi_env env);
  void prompt_collection(napi_env env, size_t bytes);
  [[nodiscard]] bool needs_garbage(size_t bytes);

  std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
  // The number that the next collection gets for which a dead object waits.
  uint64_t watched_ = 0;
  // Live bytes at the last prompt, and after the last collection, which alone makes it fall.
  size_t last_bytes_ = 0;
  size_t least_bytes_ = 0;
  // Since the last collection.
  bool garbage_made_ = false;
  // Collections to be left to V8 before the next try, and as many as it was the last time.
  uint32_t rest_ = 0;
  uint32_t pause_ = 0;
};

}  // namespace msgr
