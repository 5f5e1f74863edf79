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

 private:
  void prompt_collection(napi_env env, size_t bytes);
  [[nodiscard]] bool needs_garbage(size_t bytes);

  // Bytes of the buffers that were not collected yet; outlives this object, as they do.
  std::shared_ptr<size_t> live_bytes_ = std::make_shared<size_t>(0);
  // The same at the last prompt, and after the last collection, which alone makes it fall.
  size_t last_bytes_ = 0;
  size_t least_bytes_ = 0;
  // Since the last collection.
  bool garbage_made_ = false;
  // Collections to be left to V8 before the next try, and as many as it was the last time.
  uint32_t rest_ = 0;
  uint32_t pause_ = 0;
};

}  // namespace msgr
