#include "binding/receive_buffers.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace msgr {
namespace {

// The versions of Node whose V8 asks for a collection too late: from the first to before the second.
constexpr uint32_t kLateFrom = 24;
constexpr uint32_t kLateBefore = 26;
// Bytes of buffers since the last collection: from here on the next is due, and from there on it is the full
// one, which does not wait.
constexpr size_t kDueBytes = size_t{24} << 20;
constexpr size_t kTooLateBytes = size_t{64} << 20;
// The largest array that has its place among the young. Garbage of half a buffer's bytes fills a young
// generation of up to 20 MiB in time, and writing it takes some 3 % of what the slab's messages took.
constexpr size_t kArrayElements = 16'000;
constexpr size_t kArrayBytes = kArrayElements * sizeof(void*);
constexpr size_t kGarbageBytesMax = (kTooLateBytes - kDueBytes) / 2;
// Collections for which it is left alone at most, once garbage has been in vain.
constexpr uint32_t kPauseMax = 63;

bool collects_late(napi_env env) {
  const napi_node_version* version = nullptr;
  return napi_get_node_version(env, &version) == napi_ok && version->major >= kLateFrom &&
         version->major < kLateBefore;
}

}  // namespace

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

napi_value ReceiveBuffers::make(napi_env env, Slab& slab) {
  auto held = std::make_unique<Held>(slab, seen_);
  const auto finalize = [](napi_env, void*, void* hint) { delete static_cast<Held*>(hint); };
  napi_value buffer = nullptr;
  const size_t bytes = slab.capacity();
  if (napi_create_external_arraybuffer(env, slab.data(), bytes, finalize, held.get(), &buffer) != napi_ok) {
    return nullptr;
  }
  (void)held.release();
  watch_collections(env);
  prompt_collection(env, bytes);
  return buffer;
}

// An object that is dead from the beginning, whose finalizer so follows the next collection.
void ReceiveBuffers::watch_collections(napi_env env) {
  if (watched_ > seen_->collections) return;
  auto seen = std::make_unique<std::shared_ptr<Seen>>(seen_);
  const auto finalize = [](napi_env, void* data, void*) {
    const std::unique_ptr<std::shared_ptr<Seen>> watcher(static_cast<std::shared_ptr<Seen>*>(data));
    (*watcher)->collections++;
  };
  napi_value ignored = nullptr;
  if (napi_create_external(env, seen.get(), finalize, nullptr, &ignored) != napi_ok) return;
  (void)seen.release();
  watched_ = seen_->collections + 1;
}

// A buffer of `bytes` has been made just now.
void ReceiveBuffers::prompt_collection(napi_env env, size_t bytes) {
  void* data = nullptr;
  napi_value ignored = nullptr;
  (void)napi_create_arraybuffer(env, 1, &data, &ignored);
  if (!collects_late(env) || !needs_garbage(bytes)) return;
  const size_t garbage = std::min(bytes / 2, kGarbageBytesMax);
  for (size_t made = 0; made < garbage; made += kArrayBytes) {
    (void)napi_create_array_with_length(env, kArrayElements, &ignored);
  }
}

bool ReceiveBuffers::needs_garbage(size_t bytes) {
  const size_t live = seen_->live_bytes;
  if (live < last_bytes_ + bytes) {
    least_bytes_ = live - bytes;
    if (garbage_made_) pause_ = 0;
    garbage_made_ = false;
    if (rest_ > 0) rest_--;
  }
  last_bytes_ = live;
  const size_t grown = live - least_bytes_;
  if (rest_ > 0 || grown < kDueBytes) return false;
  if (grown > kTooLateBytes && garbage_made_) {
    pause_ = std::min(2 * pause_ + 1, kPauseMax);
    rest_ = pause_;
    garbage_made_ = false;
  }
  if (grown > kTooLateBytes) return false;
  garbage_made_ = true;
  return true;
}

}  // namespace msgr
