#include "binding/receive_buffers.h"

#include <utility>

#include "binding/napi_util.h"

namespace msgr {
class ReceiveBuffers::Held {
 public:
  Held(Slab& slab, std::shared_ptr<Seen> seen)
      : slab_(slab), bytes_(slab.capacity()), seen_(std::move(seen)) {
    slab_.retain();
    seen_->live_bytes += bytes_;
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    seen_->live_bytes -= bytes_;
    slab_.release();
  }

 private:
  Slab& slab_;
  const size_t bytes_;
  const std::shared_ptr<Seen> seen_;
};

void ReceiveBuffers::open(napi_env env, napi_value collect_young) {
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, collect_young, &type) != napi_ok || type != napi_function) return;
  if (napi_create_reference(env, collect_young, 1, &collect_young_) != napi_ok) collect_young_ = nullptr;
}

void ReceiveBuffers::close(napi_env env) {
  if (collect_young_ != nullptr) napi_delete_reference(env, collect_young_);
  collect_young_ = nullptr;
}

napi_value ReceiveBuffers::make(napi_env env, Slab& slab, bool again) {
  auto held = std::make_unique<Held>(slab, seen_);
  const auto finalize = [](napi_env, void*, void* hint) { delete static_cast<Held*>(hint); };
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, slab.data(), slab.capacity(), finalize, held.get(), &buffer) !=
      napi_ok) {
    return nullptr;
  }
  (void)held.release();
  watch_collections(env);
  if (!again) made_bytes_ += slab.capacity();
  return buffer;
}

// An object that is dead from the beginning, whose finalizer so follows the next collection.
void ReceiveBuffers::watch_collections(napi_env env) {
  if (seen_->watchers > seen_->asked_for) return;
  auto seen = std::make_unique<std::shared_ptr<Seen>>(seen_);
  const auto finalize = [](napi_env, void* data, void*) {
    const std::unique_ptr<std::shared_ptr<Seen>> watcher(static_cast<std::shared_ptr<Seen>*>(data));
    Seen& seen = **watcher;
    seen.watchers--;
    if (seen.asked_for > 0) {
      seen.asked_for--;
    } else {
      seen.collections++;
    }
  };
  napi_value ignored = nullptr;
  if (napi_create_external(env, seen.get(), finalize, nullptr, &ignored) != napi_ok) return;
  (void)seen.release();
  seen_->watchers++;
}

// Finalizers run in a later turn of the host's loop, so what was collected may still count as live: it takes as many
// new bytes before the next one.
void ReceiveBuffers::collect_if_due(napi_env env) {
  if (made_bytes_ < kDueBytes || seen_->live_bytes < kDueBytes || collect_young_ == nullptr) return;
  made_bytes_ = 0;
  napi_value collect_young = nullptr;
  if (napi_get_reference_value(env, collect_young_, &collect_young) != napi_ok) return;
  seen_->asked_for = seen_->watchers;
  napi_value ignored = nullptr;
  if (napi_call_function(env, undefined_value(env), collect_young, 0, nullptr, &ignored) ==
      napi_pending_exception) {
    (void)napi_get_and_clear_last_exception(env, &ignored);
  }
}

}  // namespace msgr
