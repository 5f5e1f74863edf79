// One transport's loop as JavaScript sees it: the class NativeLoop of src/native.ts. It joins an event loop
// to a driver (the host's loop, or a thread), the send side and the deliverer; each of them knows its own
// business.
//
//   open ──close() or end of the environment──► closing ──libuv let go──► closed ──collected──► deleted
//
// From `closing` on no callback is made and every method does nothing. The object deletes itself when both
// JavaScript and libuv have let go of it.
// Threads: JavaScript's, throughout.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "binding/deliverer.h"
#include "binding/host_loop.h"
#include "binding/send_side.h"
#include "binding/shared_memory.h"
#include "core/base/limits.h"
#include "core/base/slab.h"
#include "core/io/busy_poll.h"
#include "core/io/channel_table.h"
#include "core/io/event_loop.h"
#include "core/io/loop_thread.h"

namespace msgr {

class Call;

struct NativeLoopOptions {
  Limits limits;
  uint32_t busy_poll_us = 0;
  uint32_t threads = 0;
  int cpu = -1;
  bool poison = false;
  SocketFaults faults;
};

class NativeLoop final : private HostLoop::Client {
 public:
  // Defines the class and answers its constructor.
  [[nodiscard]] static napi_value define(napi_env env);

  NativeLoop(const NativeLoop&) = delete;
  NativeLoop& operator=(const NativeLoop&) = delete;

 private:
  NativeLoop(napi_env env, const NativeLoopOptions& options);
  ~NativeLoop();

  // Methods, in native_loop_methods.cc.
  static napi_value construct(napi_env env, napi_callback_info info);
  template <napi_value (NativeLoop::*method)(const Call&)>
  static napi_value invoke(napi_env env, napi_callback_info info);
  napi_value create_channel(const Call& call);
  napi_value give_back(const Call& call);
  napi_value counters(const Call& call);
  napi_value connect(const Call& call);
  napi_value disconnect(const Call& call);
  napi_value adopt(const Call& call);
  napi_value destroy(const Call& call);
  napi_value expect_bytes(const Call& call);
  napi_value expect_frame(const Call& call);
  napi_value send_bytes(const Call& call);
  napi_value send_control(const Call& call);
  napi_value secure(const Call& call);
  napi_value start_session(const Call& call);
  napi_value acknowledge(const Call& call);
  napi_value reset_in_seq(const Call& call);
  napi_value reset_session(const Call& call);
  napi_value want_drained(const Call& call);
  napi_value pause_reading(const Call& call);
  napi_value resume_reading(const Call& call);
  napi_value share_invite(const Call& call);
  napi_value share_give(const Call& call);
  napi_value share_take(const Call& call);
  napi_value share_nothing(const Call& call);
  napi_value share_output(const Call& call);
  napi_value share_input(const Call& call);
  napi_value listen(const Call& call);
  napi_value close_listener(const Call& call);
  napi_value next_slab(const Call& call);
  napi_value lend(const Call& call);
  napi_value flush(const Call& call);
  napi_value set_referenced(const Call& call);
  napi_value close(const Call& call);
  napi_value descriptor(const Call& call);

  // Life cycle
  [[nodiscard]] bool open(napi_env env, napi_value callback, napi_value collect_young, napi_value slabs,
                          std::string& error);
  void shut_down();
  void delete_if_unused();
  void describe(napi_env env, napi_value self);

  // Runs a command on the loop's thread, after all messages sent so far.
  template <typename Run>
  void command(Run run);
  template <typename Run>
  void command_now(Run run);
  template <typename Run>
  napi_value ask(const Call& call, Run run);
  void submit_messages();
  void publish_releases();
  [[nodiscard]] bool deliver(uint32_t index, ReceiveBatch& batch);

  // The drivers: inline …
  void turn();
  bool watched_turn();
  void spin();
  // … and threaded.
  void deliver_filled();
  void spin_for_filled();
  void update_reference();
  void trim_later();

  void on_readable() override;
  void on_prepare() override;
  void on_timer() override;
  void on_closed() override;

  static void at_environment_end(napi_async_cleanup_hook_handle handle, void* loop);

  napi_env env_;
  const Limits limits_;
  SlabPool* const pool_;
  const SharedLayout layout_;
  SlabRef memory_;
  ChannelTable table_;
  // Filled by the loop, on its thread; with a thread of its own it goes on into released_.
  LentReleases releases_;
  LentReleases released_;
  std::vector<std::unique_ptr<ReceiveBatch>> batches_;
  EventLoop loop_;
  std::unique_ptr<LoopThread> thread_;
  std::unique_ptr<SendSide> send_;
  Deliverer deliverer_;
  HostLoop host_;
  BusyPoll busy_poll_;
  const uint64_t slice_ns_;
  const int cpu_;
  const bool poison_;
  const uint32_t busy_poll_us_;

  napi_async_cleanup_hook_handle cleanup_hook_ = nullptr;
  uint32_t next_listener_ = 0;
  bool open_ = false;
  bool collected_ = false;
  bool host_closed_ = true;
  bool in_turn_ = false;
  bool referenced_ = true;
  // Nothing was delivered since the timer was started.
  bool quiet_ = true;
};

}  // namespace msgr
