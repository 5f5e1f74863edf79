// The host's libuv loop, as far as a driver needs it: one watched descriptor, a call before each sleep, and
// the power to keep it from sleeping.
//
//      uv_poll      the epoll descriptor, or a thread's notification      ─► on_readable()
//      uv_prepare   before the host's loop looks for input               ─► on_prepare()
//      uv_idle      while active the host's loop does not sleep
//      uv_timer     once, later; never holds the host's loop             ─► on_timer()
//
// libuv is reached by name at run time: its headers are not part of Node-API's, and hosts without it (Bun,
// Deno) must be told apart instead of crashing. Only opaque handles are used, whose sizes libuv tells.
// Threads: the host's. Ownership: the handles' memory is this object's and is freed once libuv let go of it.
#pragma once

#include <node_api.h>

#include <cstdint>

namespace msgr {

class HostLoop {
 public:
  class Client {
   public:
    virtual void on_readable() = 0;
    virtual void on_prepare() = 0;
    virtual void on_timer() = 0;
    // libuv has let go of every handle; the client may be deleted from here.
    virtual void on_closed() = 0;

   protected:
    ~Client() = default;
  };

  [[nodiscard]] static bool available();

  explicit HostLoop(Client& client) : client_(client) {}
  HostLoop(const HostLoop&) = delete;
  HostLoop& operator=(const HostLoop&) = delete;

  [[nodiscard]] bool open(napi_env env, int fd);
  // Once, after open() succeeded; ends in on_closed().
  void close();

  // Whether the host's loop goes on for the sake of the watched descriptor.
  void set_referenced(bool referenced);
  // Keeps the host's loop from sleeping.
  void set_awake(bool awake);
  // One call of on_timer() from now; not earlier than one that is due already.
  void start_timer(uint32_t delay_ms);
  // The host's loop would sleep now if it were asked to: nobody else has work to do. Only to be asked while
  // set_awake(false) holds.
  [[nodiscard]] bool would_sleep() const;

 private:
  static void handle_closed(void* handle);

  Client& client_;
  void* loop_ = nullptr;
  void* poll_ = nullptr;
  void* prepare_ = nullptr;
  void* idle_ = nullptr;
  void* timer_ = nullptr;
  int open_handles_ = 0;
  bool referenced_ = true;
  bool awake_ = false;
  bool timer_due_ = false;
};

}  // namespace msgr
