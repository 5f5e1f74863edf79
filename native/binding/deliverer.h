// The way up: one call into JavaScript per batch, with the slabs that its records point into.
//
// The ArrayBuffer of a shared receive slab is used as long as the slab is, or until V8 collects by itself. Those
// of large frames live for one delivery; unless the receiver keeps something they are detached, which gives
// their memory back at once instead of at the next garbage collection.
//
// A call into JavaScript is followed by what it left behind: ticks and promise jobs. Node runs them before
// napi_make_callback returns; here that is a step of its own, so that an answer is on its way before.
// Threads: JavaScript's. Calls go through the plain C interface and every status is looked at: while an
// environment is torn down they fail, and that must end in silence, not in an abort.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <vector>

#include "binding/receive_buffers.h"
#include "core/io/receive_batch.h"

namespace msgr {

class Deliverer {
 public:
  explicit Deliverer(uint32_t batch_count) : batches_(batch_count) {}
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;

  // `callback` is called without arguments, each of which would cost: what is delivered stands in the
  // control words, and for batch i in the array that `tables[i]` becomes. It answers whether it keeps anything.
  // `collect_young` is of ReceiveBuffers.
  [[nodiscard]] bool open(napi_env env, napi_value callback, napi_value collect_young, napi_value tables);
  // No more deliveries; what the last one left behind can still be run, until release().
  void close(napi_env env);
  void release(napi_env env);

  // Answers whether the batch's memory is still looked at.
  // Ticks and promise jobs wait for run_ticks(), which has to follow before the host's loop goes on.
  [[nodiscard]] bool deliver(napi_env env, uint32_t index, ReceiveBatch& batch);
  void run_ticks(napi_env env);

 private:
  struct BatchState {
    napi_ref slabs = nullptr;
    // The shared slab that it has a buffer of, and what ReceiveBuffers::collections() was when that was made.
    uint64_t shared_id = 0;
    uint64_t made_at = 0;

    [[nodiscard]] bool has_young(const Slab& slab, const ReceiveBuffers& buffers) const {
      return shared_id == slab.id() && made_at == buffers.collections();
    }
  };
  [[nodiscard]] bool install(napi_env env, BatchState& state, ReceiveBatch& batch, napi_value slabs);
  void uninstall(napi_env env, ReceiveBatch& batch, napi_value slabs, bool kept);

  napi_ref callback_ = nullptr;
  napi_async_context context_ = nullptr;
  std::vector<BatchState> batches_;
  ReceiveBuffers buffers_;
};

}  // namespace msgr
