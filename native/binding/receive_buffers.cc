#include "binding/receive_buffers.h"

#include <algorithm>
#include <cstdint>

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

// What a buffer holds on to until it is collected.
struct Held {
  Slab& slab;
  const size_t bytes;
  const std::shared_ptr<size_t> live_bytes;

  Held(Slab& held, const std::shared_ptr<size_t>& live)
      : slab(held), bytes(held.capacity()), live_bytes(live) {
    slab.retain();
    *live_bytes += bytes;
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    *live_bytes -= bytes;
    slab.release();
  }
};

bool collects_late(napi_env env) {
  const napi_node_version* version = nullptr;
  return napi_get_node_version(env, &version) == napi_ok && version->major >= kLateFrom &&
         version->major < kLateBefore;
}

}  // namespace

napi_value ReceiveBuffers::make(napi_env env, Slab& slab) {
  auto held = std::make_unique<Held>(slab, live_bytes_);
  const auto finalize = [](napi_env, void*, void* hint) { delete static_cast<Held*>(hint); };
  napi_value buffer = nullptr;
  const size_t bytes = held->bytes;
  if (napi_create_external_arraybuffer(env, slab.data(), bytes, finalize, held.get(), &buffer) != napi_ok) {
    return nullptr;
  }
  (void)held.release();
  prompt_collection(env, bytes);
  return buffer;
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
  const size_t live = *live_bytes_;
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
