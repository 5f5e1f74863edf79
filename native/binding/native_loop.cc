// Life cycle and drivers of NativeLoop.
#include "binding/native_loop.h"

#include <sched.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "binding/napi_util.h"
#include "core/base/clock.h"

namespace msgr {
namespace {

// Batches in flight between a loop's thread and JavaScript: one is filled while one is looked at, and two
// take up the differences in pace.
constexpr uint32_t kThreadTables = 4;
// Warm memory per transport for slabs that come and go. While traffic flows it may be much, as slabs that
// JavaScript keeps views of come back in bursts, as many at once as the garbage collector allows between two
// of its runs, and fresh pages instead of warm ones halve the throughput. After a quiet second it shrinks.
constexpr size_t kIdleBytesMax = 256 * 1024 * 1024;
constexpr size_t kIdleBytesQuiet = 8 * 1024 * 1024;
constexpr uint32_t kQuietMs = 1000;
// Deliveries in one turn before the host's loop gets its own turn.
constexpr int kRoundsPerTurn = 16;
// While polling, one look in so many asks for all sockets; the others try the latest one only.
constexpr uint32_t kLooksPerPoll = 4;

// Of JavaScript's thread; a loop on its own thread has its own.
uint32_t host_busy_poll_us(const NativeLoopOptions& options) {
  if (options.threads > 0 && std::thread::hardware_concurrency() < kCpusForTwoSpinners) return 0;
  return options.busy_poll_us;
}

uint32_t table_count(const NativeLoopOptions& options) { return options.threads > 0 ? kThreadTables : 1; }

}  // namespace

NativeLoop::NativeLoop(napi_env env, const NativeLoopOptions& options)
    : env_(env),
      limits_(options.limits),
      pool_(SlabPool::create(limits_.slab_bytes, kIdleBytesMax)),
      layout_(table_count(options)),
      memory_(pool_->take_large(layout_.bytes())),
      table_(*pool_),
      loop_(limits_, *pool_, table_, releases_, options.faults),
      deliverer_(layout_.tables),
      host_(*this),
      busy_poll_(host_busy_poll_us(options)),
      slice_ns_(uint64_t{options.busy_poll_us} * 1000),
      cpu_(options.cpu),
      poison_(options.poison),
      busy_poll_us_(options.threads > 0 ? options.busy_poll_us : 0) {}

NativeLoop::~NativeLoop() {
  thread_.reset();
  loop_.close_all();
  pool_->close();
}

bool NativeLoop::open(napi_env env, napi_value callback, napi_value collect_young, napi_value slabs,
                      std::string& error) {
  if (!memory_ || loop_.epoll_fd() < 0) {
    error = "no memory or descriptor for an event loop";
    return false;
  }
  std::memset(memory_->data(), 0, layout_.releases_offset());
  std::vector<ReceiveBatch*> free;
  for (uint32_t i = 0; i < layout_.tables; i++) {
    auto* table = reinterpret_cast<Record*>(memory_->data() + layout_.record_offset(i));
    auto* places = reinterpret_cast<RecordPlace*>(memory_->data() + layout_.place_offset(i));
    batches_.push_back(std::make_unique<ReceiveBatch>(table, places, kBatchRecords, poison_));
    if (!batches_.back()->renew(false, *pool_)) {
      error = "no memory for receive slabs";
      return false;
    }
    free.push_back(batches_.back().get());
  }
  send_ = std::make_unique<SendSide>(*pool_, memory_->data(), layout_);
  int fd = loop_.epoll_fd();
  if (layout_.tables > 1) {
    thread_ = std::make_unique<LoopThread>(loop_, *pool_, std::move(free), releases_, busy_poll_us_, cpu_);
    if (!thread_->start()) {
      error = thread_->pin_error() != 0
                  ? "cpu " + std::to_string(cpu_) + " cannot be used: " + std::strerror(thread_->pin_error())
                  : "no descriptor for the loop's thread";
      return false;
    }
    fd = thread_->notify_fd();
  } else if (cpu_ >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(cpu_), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
      error = "cpu " + std::to_string(cpu_) + " cannot be used: " + std::strerror(errno);
      return false;
    }
  }
  if (!host_.open(env, fd)) {
    error = "the host has no libuv loop to watch a descriptor with";
    return false;
  }
  host_closed_ = false;
  open_ = true;
  if (!deliverer_.open(env, callback, collect_young, slabs) ||
      napi_add_async_cleanup_hook(env, at_environment_end, this, &cleanup_hook_) != napi_ok) {
    shut_down();
    error = "the environment is going away";
    return false;
  }
  update_reference();
  return true;
}

// Everything that has a descriptor or a thread ends here; memory stays until libuv and JavaScript let go.
void NativeLoop::shut_down() {
  if (!open_) return;
  open_ = false;
  if (thread_) thread_->stop();
  loop_.close_all();
  deliverer_.close(env_);
  send_->close(env_);
  host_.close();
}

void NativeLoop::on_closed() {
  host_closed_ = true;
  deliverer_.release(env_);
  if (cleanup_hook_ != nullptr) napi_remove_async_cleanup_hook(cleanup_hook_);
  cleanup_hook_ = nullptr;
  delete_if_unused();
}

void NativeLoop::delete_if_unused() {
  if (collected_ && host_closed_) delete this;
}

void NativeLoop::at_environment_end(napi_async_cleanup_hook_handle, void* loop) {
  // Ends in on_closed(), which removes the hook: the environment waits for that. When close() came first
  // the handles are closing already.
  static_cast<NativeLoop*>(loop)->shut_down();
}

void NativeLoop::update_reference() {
  const bool open = thread_ ? thread_->maybe_open() : loop_.open_count() > 0;
  host_.set_referenced(referenced_ && open);
}

void NativeLoop::trim_later() {
  quiet_ = false;
  if (pool_->idle_bytes() > kIdleBytesQuiet) host_.start_timer(kQuietMs);
}

void NativeLoop::on_timer() {
  if (!open_) return;
  if (quiet_) {
    pool_->trim(kIdleBytesQuiet);
  } else {
    host_.start_timer(kQuietMs);
  }
  quiet_ = true;
}

void NativeLoop::submit_messages() {
  if (send_->empty()) return;
  if (thread_) {
    thread_->post(send_->hand_over(releases_, [this] { thread_->drain(); }));
  } else {
    send_->take(loop_, releases_);
  }
}

// Tells TypeScript which lent payloads are free again; it takes the list at the start of each call.
void NativeLoop::publish_releases() {
  LentReleases& from = thread_ ? released_ : releases_;
  auto* control = reinterpret_cast<int32_t*>(memory_->data());
  auto* tokens = reinterpret_cast<int32_t*>(memory_->data() + layout_.releases_offset());
  auto count = static_cast<uint32_t>(control[Control::kReleaseCount]);
  while (!from.empty() && count < kReleasesPerCall) {
    tokens[count++] = static_cast<int32_t>(from.back());
    from.pop_back();
  }
  control[Control::kReleaseCount] = static_cast<int32_t>(count);
}

// Answers whether JavaScript still looks at the batch. What handlers sent at once leaves before their ticks and
// promise jobs run. If they sent nothing, the jobs may be what answers, and acknowledgements wait for that.
bool NativeLoop::deliver(uint32_t index, ReceiveBatch& batch) {
  publish_releases();
  auto* control = reinterpret_cast<int32_t*>(memory_->data());
  control[Control::kDeliveredTable] = static_cast<int32_t>(index);
  control[Control::kDeliveredCount] = static_cast<int32_t>(batch.records().count());
  const bool kept = deliverer_.deliver(env_, index, batch);
  if (open_ && !send_->empty()) {
    submit_messages();
    if (!thread_) loop_.flush();
  }
  deliverer_.run_ticks(env_);
  return kept;
}

// The inline driver

void NativeLoop::turn() {
  if (in_turn_) return;
  in_turn_ = true;
  bool again = true;
  bool worked = false;
  for (int round = 0; again && round < kRoundsPerTurn; round++) {
    ReceiveBatch& batch = *batches_[0];
    // Without memory for a slab nothing is read; the host's loop stays awake and it is tried again.
    if (!batch.ready() && !batch.renew(false, *pool_)) break;
    again = loop_.receive(batch);
    bool kept = true;
    worked = worked || again || batch.records().count() != 0;
    if (batch.records().count() != 0 || !releases_.empty()) {
      kept = deliver(0, batch);
      if (!open_) break;
    }
    if ((batch.records().count() != 0 || again) && !batch.renew(kept, *pool_)) break;
    submit_messages();
    loop_.flush();
    again = again || loop_.has_pending();
  }
  in_turn_ = false;
  if (!open_ || !worked) return;
  send_->rewind_if_unused();
  update_reference();
  trim_later();
}

// A turn of which the polling learns, if it brought anything; answers that.
bool NativeLoop::watched_turn() {
  const uint64_t received = loop_.bytes_received();
  const uint64_t sent = loop_.bytes_sent();
  turn();
  if (!open_ || !busy_poll_.enabled() || loop_.bytes_received() == received) return false;
  busy_poll_.on_traffic(monotonic_ns(),
                        {.bytes_received = loop_.bytes_received() - received,
                         .bytes_sent = loop_.bytes_sent() - sent,
                         .by_link = loop_.latest_by_link()});
  return true;
}

// Looks for input for a while, because it is likely to come before a sleep and a wake-up would be over.
// The host's loop turns once per slice, so nobody else waits longer than that.
void NativeLoop::spin() {
  const uint64_t begin = monotonic_ns();
  uint64_t now = begin;
  for (uint32_t look = 1; busy_poll_.wanted(now) && now - begin < slice_ns_;) {
    if (!busy_poll_.looks(now)) {
      now = monotonic_ns();
      continue;
    }
    // The socket that gave input last is the likely one: most looks try it without asking which are ready.
    if (look++ % kLooksPerPoll == 0 || !loop_.queue_latest() ? loop_.poll(0) > 0 : true) {
      const bool moved = watched_turn();
      if (!open_ || (moved && !host_.would_sleep())) return;
    }
    now = monotonic_ns();
  }
}

// The threaded driver

void NativeLoop::deliver_filled() {
  if (in_turn_) return;
  in_turn_ = true;
  for (uint32_t round = 0; round < layout_.tables; round++) {
    ReceiveBatch* batch = thread_->next_filled(released_);
    if (batch == nullptr) break;
    uint32_t index = 0;
    while (batches_[index].get() != batch) index++;
    const bool kept = deliver(index, *batch);
    if (!open_) break;
    thread_->give_back(batch, kept);
    submit_messages();
  }
  in_turn_ = false;
  if (!open_) return;
  update_reference();
  trim_later();
}

void NativeLoop::spin_for_filled() {
  const uint64_t begin = monotonic_ns();
  uint64_t now = begin;
  while (busy_poll_.wanted(now) && now - begin < slice_ns_) {
    if (thread_->has_filled()) {
      deliver_filled();
      if (!open_) return;
      now = monotonic_ns();
      busy_poll_.on_traffic(now);
      if (!host_.would_sleep()) return;
    } else {
      now = monotonic_ns();
    }
  }
}

// What the host's loop calls

void NativeLoop::on_readable() {
  if (!open_) return;
  if (thread_) {
    thread_->take_notification();
    deliver_filled();
    if (open_) update_reference();
    if (open_ && busy_poll_.enabled()) busy_poll_.on_traffic(monotonic_ns());
    return;
  }
  loop_.poll(0);
  watched_turn();
}

void NativeLoop::on_prepare() {
  if (!open_) return;
  submit_messages();
  host_.set_awake(false);
  if (thread_) {
    if (thread_->has_filled()) deliver_filled();
    if (open_ && busy_poll_.enabled() && host_.would_sleep()) spin_for_filled();
    if (!open_) return;
    host_.set_awake(thread_->has_filled() || (busy_poll_.enabled() && busy_poll_.wanted(monotonic_ns())));
    update_reference();
    return;
  }
  if (loop_.has_pending() || loop_.has_output() || !releases_.empty()) turn();
  if (open_ && busy_poll_.enabled() && host_.would_sleep()) spin();
  if (!open_) return;
  loop_.listen();
  host_.set_awake(loop_.has_pending() || loop_.has_output() ||
                  (busy_poll_.enabled() && busy_poll_.wanted(monotonic_ns())));
  update_reference();
}

}  // namespace msgr
