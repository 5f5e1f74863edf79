// The threaded driver: runs an event loop on a thread of its own and exchanges batches with the host's
// thread.
//
//        host's thread                               loop's thread
//      post(command) ───────── commands ──────────► runs them in order
//      next_filled() ◄──────── filled batches ───── receive() fills one
//      give_back()   ───────── free batches ──────► (without one it reads no socket)
//
// A filled batch is announced by the notify descriptor becoming readable. The number of batches bounds
// what can be read ahead of the host.
// Threads: the public interface belongs to the host's thread, but for what run() does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/io/busy_poll.h"
#include "core/io/event_loop.h"
#include "core/io/receive_batch.h"

namespace msgr {

class LoopThread {
 public:
  using Command = std::function<void(EventLoop&)>;

  // `batches` are renewed and free; they, the loop, and `releases` (which the loop fills) outlive this.
  // `cpu`: the thread runs on this CPU only; -1: anywhere.
  LoopThread(EventLoop& loop, SlabPool& pool, std::vector<ReceiveBatch*> batches, LentReleases& releases,
             uint32_t busy_poll_us, int cpu);
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  // Stops and joins.
  ~LoopThread();

  // False when descriptors or a thread could not be had. errno of a refused CPU stays in pin_error().
  [[nodiscard]] bool start();
  void stop();
  [[nodiscard]] int pin_error() const { return pin_error_; }
  [[nodiscard]] int notify_fd() const { return notify_fd_; }

  void post(Command command);
  // Before next_filled(): clears the notification.
  void take_notification();
  // Null when none is filled. Tokens of released payloads are added to `released`.
  [[nodiscard]] ReceiveBatch* next_filled(LentReleases& released);
  // `kept` as for ReceiveBatch::renew().
  void give_back(ReceiveBatch* batch, bool kept);
  [[nodiscard]] bool has_filled() const { return filled_count_.load(std::memory_order_acquire) != 0; }
  // Waits until every command posted so far has run.
  void drain();

  // False only when no socket is open and no command is under way that might open one. The notification
  // tells when it becomes so.
  [[nodiscard]] bool maybe_open() const {
    return open_count_.load(std::memory_order_relaxed) != 0 ||
           posted_ != done_.load(std::memory_order_acquire);
  }

 private:
  void run();
  // Answers how many there were.
  size_t run_commands();
  void notify();
  void sleep(bool starved);
  [[nodiscard]] ReceiveBatch* take_free();
  void hand_over(ReceiveBatch* batch);

  EventLoop& loop_;
  SlabPool& pool_;
  LentReleases& releases_;
  BusyPoll busy_poll_;
  const int cpu_;
  int pin_error_ = 0;
  int wake_fd_ = -1;
  int notify_fd_ = -1;
  std::thread thread_;

  std::mutex mutex_;
  std::vector<Command> commands_;
  std::vector<ReceiveBatch*> filled_;
  std::vector<ReceiveBatch*> free_;
  LentReleases released_;

  std::atomic<bool> stopping_{false};
  // The thread sleeps, or is about to: a command must be followed by a wake-up.
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> has_commands_{false};
  std::atomic<bool> has_free_{true};
  std::atomic<bool> notified_{false};
  std::atomic<uint32_t> filled_count_{0};
  std::atomic<uint32_t> open_count_{0};
  // Commands that were posted (the host's thread alone), and that have run.
  uint64_t posted_ = 0;
  std::atomic<uint64_t> done_{0};
  // The loop's thread alone.
  std::vector<Command> running_;
};

}  // namespace msgr
