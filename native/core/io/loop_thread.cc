#include "core/io/loop_thread.h"

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>

#include "core/base/clock.h"

namespace msgr {
namespace {

// Without a free batch no socket is read, and epoll would report the same ones again at once. Blocked
// writes and commands are looked after at this interval until the host gives a batch back.
constexpr int kStarvedMs = 1;

void signal_fd(int fd) {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then the descriptor is readable already.
  (void)!write(fd, &one, sizeof one);
}

void clear_fd(int fd) {
  uint64_t count;
  (void)!read(fd, &count, sizeof count);
}

}  // namespace

LoopThread::LoopThread(EventLoop& loop, SlabPool& pool, std::vector<ReceiveBatch*> batches,
                       LentReleases& releases, uint32_t busy_poll_us, int cpu)
    : loop_(loop),
      pool_(pool),
      releases_(releases),
      busy_poll_(busy_poll_us),
      cpu_(cpu),
      free_(std::move(batches)) {}

LoopThread::~LoopThread() {
  stop();
  if (wake_fd_ >= 0) ::close(wake_fd_);
  if (notify_fd_ >= 0) ::close(notify_fd_);
}

bool LoopThread::start() {
  wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  notify_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd_ < 0 || notify_fd_ < 0 || loop_.epoll_fd() < 0 || !loop_.watch_wake(wake_fd_)) return false;
  if (cpu_ >= 0) {
    // Tried on the calling thread's behalf first, so that a CPU which does not exist is told to the caller.
    cpu_set_t set;
    cpu_set_t before;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(cpu_), &set);
    if (sched_getaffinity(0, sizeof before, &before) != 0 || sched_setaffinity(0, sizeof set, &set) != 0) {
      pin_error_ = errno;
      return false;
    }
    sched_setaffinity(0, sizeof before, &before);
  }
  thread_ = std::thread([this] { run(); });
  return true;
}

void LoopThread::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  signal_fd(wake_fd_);
  thread_.join();
}

void LoopThread::post(Command command) {
  posted_++;
  {
    const std::lock_guard lock(mutex_);
    commands_.push_back(std::move(command));
    has_commands_.store(true);
  }
  if (sleeping_.load()) signal_fd(wake_fd_);
}

void LoopThread::drain() {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  post([&](EventLoop&) {
    const std::lock_guard lock(mutex);
    done = true;
    changed.notify_one();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return done; });
}

void LoopThread::take_notification() {
  clear_fd(notify_fd_);
  notified_.store(false);
}

ReceiveBatch* LoopThread::next_filled(LentReleases& released) {
  const std::lock_guard lock(mutex_);
  released.insert(released.end(), released_.begin(), released_.end());
  released_.clear();
  if (filled_.empty()) return nullptr;
  ReceiveBatch* batch = filled_.front();
  filled_.erase(filled_.begin());
  filled_count_.store(static_cast<uint32_t>(filled_.size()), std::memory_order_release);
  return batch;
}

void LoopThread::give_back(ReceiveBatch* batch, bool kept) {
  // Without memory for a new slab the batch is lost, and the loop goes on with those that are left.
  if (!batch->renew(kept, pool_)) return;
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(batch);
    has_free_.store(true);
  }
  if (sleeping_.load()) signal_fd(wake_fd_);
}

ReceiveBatch* LoopThread::take_free() {
  if (!has_free_.load(std::memory_order_acquire)) return nullptr;
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return nullptr;
  // The one given back last is the warmest.
  ReceiveBatch* batch = free_.back();
  free_.pop_back();
  if (free_.empty()) has_free_.store(false);
  return batch;
}

void LoopThread::hand_over(ReceiveBatch* batch) {
  {
    const std::lock_guard lock(mutex_);
    released_.insert(released_.end(), releases_.begin(), releases_.end());
    releases_.clear();
    filled_.push_back(batch);
    filled_count_.store(static_cast<uint32_t>(filled_.size()), std::memory_order_release);
  }
  notify();
}

void LoopThread::notify() {
  if (!notified_.exchange(true)) signal_fd(notify_fd_);
}

size_t LoopThread::run_commands() {
  if (!has_commands_.load(std::memory_order_acquire)) return 0;
  {
    const std::lock_guard lock(mutex_);
    running_.swap(commands_);
    has_commands_.store(false);
  }
  for (Command& command : running_) command(loop_);
  const size_t count = running_.size();
  running_.clear();
  return count;
}

// Sleeps in epoll unless something came in the meantime: either the other side sees `sleeping_` and wakes
// us, or we see what it brought.
void LoopThread::sleep(bool starved) {
  sleeping_.store(true);
  if (!has_commands_.load() && !stopping_.load()) {
    if (starved) {
      // epoll would report the sockets that may not be read at once, again and again.
      pollfd wake{wake_fd_, POLLIN, 0};
      (void)::poll(&wake, 1, kStarvedMs);
    } else {
      loop_.poll(-1);
    }
  }
  sleeping_.store(false);
  clear_fd(wake_fd_);
  if (starved) loop_.poll(0);
}

void LoopThread::run() {
  if (cpu_ >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(cpu_), &set);
    sched_setaffinity(0, sizeof set, &set);
  }
  const bool few_cpus = std::thread::hardware_concurrency() < kCpusForTwoSpinners;
  ReceiveBatch* batch = nullptr;
  uint64_t bytes_seen = 0;
  // The commands of the last moment still run below: they may hold a descriptor.
  while (!stopping_.load(std::memory_order_relaxed)) {
    const size_t commands = run_commands();
    const bool more_output = loop_.flush();
    bool again = false;
    if (batch == nullptr) batch = take_free();
    if (batch != nullptr) {
      again = loop_.receive(*batch);
      if (batch->records().count() != 0 || !releases_.empty()) {
        hand_over(batch);
        batch = nullptr;
      } else if (again && !batch->renew(true, pool_)) {
        // No memory for a slab now; commands and writes go on, and it is tried again.
        sleep(true);
        continue;
      }
    }
    const uint32_t open_count = loop_.open_count();
    if (open_count_.exchange(open_count, std::memory_order_relaxed) != open_count || commands != 0) {
      done_.fetch_add(commands, std::memory_order_release);
      if (open_count == 0) notify();
    }
    if (again || more_output || (loop_.has_output() && !loop_.has_pending())) {
      loop_.poll(0);
      continue;
    }
    if (loop_.has_pending()) {
      // Starved of batches when there is none at hand; else there is something for the next round.
      if (batch == nullptr && !has_free_.load()) {
        sleep(true);
      } else {
        loop_.poll(0);
      }
      continue;
    }
    if (busy_poll_.enabled()) {
      const uint64_t now = monotonic_ns();
      if (loop_.bytes_received() != bytes_seen) {
        bytes_seen = loop_.bytes_received();
        busy_poll_.on_traffic(now);
      }
      if (busy_poll_.wanted(now)) {
        if (loop_.poll(0) == 0 && few_cpus) sched_yield();
        continue;
      }
    }
    sleep(batch == nullptr && !has_free_.load());
  }
  run_commands();
}

}  // namespace msgr
