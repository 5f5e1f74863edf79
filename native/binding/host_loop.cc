#include "binding/host_loop.h"

#include <dlfcn.h>

#include <cstdlib>
#include <initializer_list>

namespace msgr {
namespace {

// From libuv's stable C interface (docs.libuv.org); handles and loops stay opaque.
constexpr int kUvIdle = 6;
constexpr int kUvPoll = 8;
constexpr int kUvPrepare = 9;
constexpr int kUvTimer = 13;
constexpr int kUvReadable = 1;

struct Uv {
  size_t (*handle_size)(int type);
  void (*handle_set_data)(void* handle, void* data);
  void* (*handle_get_data)(const void* handle);
  void (*close)(void* handle, void (*closed)(void* handle));
  void (*ref)(void* handle);
  void (*unref)(void* handle);
  int (*poll_init)(void* loop, void* handle, int fd);
  int (*poll_start)(void* handle, int events, void (*call)(void* handle, int status, int events));
  int (*poll_stop)(void* handle);
  int (*prepare_init)(void* loop, void* handle);
  int (*prepare_start)(void* handle, void (*call)(void* handle));
  int (*prepare_stop)(void* handle);
  int (*idle_init)(void* loop, void* handle);
  int (*idle_start)(void* handle, void (*call)(void* handle));
  int (*idle_stop)(void* handle);
  int (*timer_init)(void* loop, void* handle);
  int (*timer_start)(void* handle, void (*call)(void* handle), uint64_t timeout_ms, uint64_t repeat_ms);
  int (*timer_stop)(void* handle);
  int (*backend_timeout)(const void* loop);
  bool complete = true;

  Uv() {
    find(handle_size, "uv_handle_size");
    find(handle_set_data, "uv_handle_set_data");
    find(handle_get_data, "uv_handle_get_data");
    find(close, "uv_close");
    find(ref, "uv_ref");
    find(unref, "uv_unref");
    find(poll_init, "uv_poll_init");
    find(poll_start, "uv_poll_start");
    find(poll_stop, "uv_poll_stop");
    find(prepare_init, "uv_prepare_init");
    find(prepare_start, "uv_prepare_start");
    find(prepare_stop, "uv_prepare_stop");
    find(idle_init, "uv_idle_init");
    find(idle_start, "uv_idle_start");
    find(idle_stop, "uv_idle_stop");
    find(timer_init, "uv_timer_init");
    find(timer_start, "uv_timer_start");
    find(timer_stop, "uv_timer_stop");
    find(backend_timeout, "uv_backend_timeout");
  }

 private:
  template <typename Function>
  void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
    if (function == nullptr) complete = false;
  }
};

// Filled in once, by the first thread that loads the addon; read only from then on.
const Uv& uv() {
  static const Uv table;
  return table;
}

HostLoop::Client& client_of(void* handle) {
  return *static_cast<HostLoop::Client*>(uv().handle_get_data(handle));
}

}  // namespace

bool HostLoop::available() { return uv().complete; }

bool HostLoop::open(napi_env env, int fd) {
  if (!uv().complete) return false;
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return false;
  loop_ = loop;
  poll_ = std::malloc(uv().handle_size(kUvPoll));
  prepare_ = std::malloc(uv().handle_size(kUvPrepare));
  idle_ = std::malloc(uv().handle_size(kUvIdle));
  timer_ = std::malloc(uv().handle_size(kUvTimer));
  if (poll_ == nullptr || prepare_ == nullptr || idle_ == nullptr || timer_ == nullptr ||
      uv().poll_init(loop_, poll_, fd) != 0) {
    std::free(poll_);
    std::free(prepare_);
    std::free(idle_);
    std::free(timer_);
    return false;
  }
  // These do not fail.
  uv().prepare_init(loop_, prepare_);
  uv().idle_init(loop_, idle_);
  uv().timer_init(loop_, timer_);
  open_handles_ = 4;
  uv().unref(prepare_);
  uv().unref(idle_);
  uv().unref(timer_);
  uv().handle_set_data(poll_, &client_);
  uv().handle_set_data(prepare_, &client_);
  uv().poll_start(poll_, kUvReadable, [](void* handle, int, int) { client_of(handle).on_readable(); });
  uv().prepare_start(prepare_, [](void* handle) { client_of(handle).on_prepare(); });
  return true;
}

void HostLoop::close() {
  uv().poll_stop(poll_);
  uv().prepare_stop(prepare_);
  uv().idle_stop(idle_);
  uv().timer_stop(timer_);
  for (void* handle : {poll_, prepare_, idle_, timer_}) {
    uv().handle_set_data(handle, this);
    uv().close(handle, handle_closed);
  }
}

void HostLoop::handle_closed(void* handle) {
  auto& host = *static_cast<HostLoop*>(uv().handle_get_data(handle));
  std::free(handle);
  if (--host.open_handles_ == 0) host.client_.on_closed();
}

void HostLoop::set_referenced(bool referenced) {
  if (referenced == referenced_) return;
  referenced_ = referenced;
  if (referenced) {
    uv().ref(poll_);
  } else {
    uv().unref(poll_);
  }
}

void HostLoop::set_awake(bool awake) {
  if (awake == awake_) return;
  awake_ = awake;
  if (awake) {
    uv().idle_start(idle_, [](void*) {});
  } else {
    uv().idle_stop(idle_);
  }
}

void HostLoop::start_timer(uint32_t delay_ms) {
  if (timer_due_) return;
  timer_due_ = true;
  uv().handle_set_data(timer_, this);
  const auto call = [](void* handle) {
    auto& host = *static_cast<HostLoop*>(uv().handle_get_data(handle));
    host.timer_due_ = false;
    host.client_.on_timer();
  };
  uv().timer_start(timer_, call, delay_ms, 0);
}

bool HostLoop::would_sleep() const { return uv().backend_timeout(loop_) != 0; }

}  // namespace msgr
