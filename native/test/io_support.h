// Event loops for tests: driven step by step over real loopback sockets, or on a thread of their own.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>

#include <cstring>
#include <thread>
#include <vector>

#include "core/io/event_loop.h"
#include "core/io/loop_thread.h"
#include "test/support.h"

namespace msgr::test {

inline Limits io_limits() {
  Limits limits = small_limits();
  limits.slab_bytes = 256 * 1024;
  limits.receive_turn_bytes_max = 256 * 1024;
  return limits;
}

inline constexpr uint32_t kFrontSize = 100;

// One loop with everything that a driver gives it, and the messages and events that came.
struct Host {
  explicit Host(const SocketFaults& faults = {}, uint32_t batch_capacity = 256)
      : limits(io_limits()),
        pool(SlabPool::create(limits.slab_bytes, 4 * limits.slab_bytes)),
        table(*pool),
        loop(limits, *pool, table, releases, faults),
        records(batch_capacity),
        places(batch_capacity),
        batch(records.data(), places.data(), batch_capacity) {
    REQUIRE(batch.renew(false, *pool));
  }
  ~Host() {
    loop.close_all();
    batch.records().clear();
    send_slab = SlabRef();
    // The pool goes on as long as slabs do.
    pool->close();
  }

  void turn(int timeout_ms) {
    loop.poll(timeout_ms);
    bool again = true;
    while (again) {
      again = loop.receive(batch);
      take();
      REQUIRE(batch.renew(false, *pool));
      loop.flush();
      again = again || loop.has_pending();
    }
  }

  void take() {
    for (uint32_t i = 0; i < batch.records().count(); i++) {
      const Record& record = batch.records().record(i);
      if (record.kind == static_cast<int32_t>(RecordKind::kMessage)) {
        // Every message is filled with its number.
        const uint8_t* front =
            batch.records().slabs()[static_cast<size_t>(record.slab)]->data() + record.front_offset;
        CHECK(record.front_length == kFrontSize);
        CHECK(load_u32(front) == static_cast<uint32_t>(record.tid_low));
        CHECK(load_u32(front + kFrontSize - 4) == static_cast<uint32_t>(record.tid_low));
        received.push_back(static_cast<uint32_t>(record.tid_low));
      } else {
        events.push_back(record);
      }
    }
  }

  void send(uint32_t id, uint32_t number) {
    const MessageSizes sizes{kFrontSize, 0, 0};
    const auto size = static_cast<uint32_t>(message_frame_size(sizes));
    if (!send_slab || send_slab->used + size > send_slab->capacity()) send_slab = pool->take();
    REQUIRE(send_slab);
    uint8_t* front = send_slab->data() + send_slab->used + kMessageGapOffset;
    std::memset(front, 0, kFrontSize);
    store_u32(front, number);
    store_u32(front + kFrontSize - 4, number);
    OutgoingMessage message{};
    message.type = 42;
    message.tid = number;
    message.sizes = sizes;
    message.slab = send_slab.get();
    message.offset = send_slab->used;
    send_slab->used += size;
    const SendRecord record = record_of(message);
    REQUIRE(loop.append_run(id, &record, 1, *send_slab, message.offset) == size);
  }

  // The last event of a kind, or null.
  const Record* last(RecordKind kind) const {
    for (size_t i = events.size(); i > 0; i--) {
      if (events[i - 1].kind == static_cast<int32_t>(kind)) return &events[i - 1];
    }
    return nullptr;
  }

  const Limits limits;
  SlabPool* pool;
  ChannelTable table;
  LentReleases releases;
  EventLoop loop;
  std::vector<Record> records;
  std::vector<RecordPlace> places;
  ReceiveBatch batch;
  SlabRef send_slab;
  std::vector<uint32_t> received;
  std::vector<Record> events;
};

// Turns both loops until `done`; bounded, so that a fault is a failed check and no hang.
template <typename Done>
bool turn_until(Host& near, Host& far, Done done, int turns_max = 20'000) {
  for (int i = 0; i < turns_max; i++) {
    if (done()) return true;
    near.turn(0);
    far.turn(0);
    if (i > 100) std::this_thread::yield();
  }
  return done();
}

inline SocketAddress loopback(uint16_t port) {
  SocketAddress address;
  REQUIRE(SocketAddress::parse(4, "127.0.0.1", port, address));
  return address;
}

inline uint16_t listen_on(Host& host, uint32_t listener = 0) {
  const SocketResult result = open_listener(loopback(0), {});
  REQUIRE(result.ok());
  const uint16_t port = SocketAddress::local_of(result.fd).port();
  host.loop.add_listener(listener, result.fd, {});
  return port;
}

// A connecting channel of `near`, accepted by `far`; answers far's channel.
inline uint32_t connect_to(Host& near, uint32_t id, uint32_t generation, Host& far, uint16_t port) {
  near.events.clear();
  far.events.clear();
  near.loop.connect(id, generation, loopback(port), {});
  REQUIRE(turn_until(near, far, [&] {
    return near.last(RecordKind::kOpened) != nullptr && far.last(RecordKind::kAccepted) != nullptr;
  }));
  return static_cast<uint32_t>(far.last(RecordKind::kAccepted)->channel);
}

// The ends of a session: near's channel, and far's.
struct Ends {
  uint32_t id;
  uint32_t other;
};

inline Ends open_session(Host& near, Host& far, bool lossless) {
  const uint16_t port = listen_on(far);
  const uint32_t id = near.table.take();
  near.loop.create(id);
  const uint32_t other = connect_to(near, id, 1, far, port);
  near.loop.start_session(id, lossless);
  far.loop.start_session(other, lossless);
  return {id, other};
}

// A session that outlives its sockets: near's channel connects again and again, far's adopts what is accepted.
class LastingSession {
 public:
  LastingSession(Host& near, Host& far)
      : near_(near), far_(far), port_(listen_on(far)), id_(near.table.take()), other_(far.table.take()) {
    near.loop.create(id_);
    far.loop.create(other_);
  }

  // Another socket. False: it broke before near was told that it is open.
  [[nodiscard]] bool connect() {
    near_.events.clear();
    far_.events.clear();
    near_.loop.connect(id_, ++generation_, loopback(port_), {});
    REQUIRE(turn_until(near_, far_, [&] { return far_.last(RecordKind::kAccepted) != nullptr; }));
    far_.loop.adopt(other_, generation_, static_cast<uint32_t>(far_.last(RecordKind::kAccepted)->channel));
    REQUIRE(turn_until(near_, far_, [&] { return near_.last(RecordKind::kOpened) != nullptr || broken(); }));
    return near_.last(RecordKind::kOpened) != nullptr;
  }
  void start() {
    near_.loop.start_session(id_, true);
    far_.loop.start_session(other_, true);
  }
  void disconnect() { near_.loop.disconnect(id_, ++generation_); }

  // Either end has lost the present socket.
  [[nodiscard]] bool broken() const {
    return near_.last(RecordKind::kClosed) != nullptr || far_.last(RecordKind::kClosed) != nullptr;
  }
  [[nodiscard]] uint32_t id() const { return id_; }
  [[nodiscard]] uint32_t other() const { return other_; }
  [[nodiscard]] uint32_t generation() const { return generation_; }

 private:
  Host& near_;
  Host& far_;
  const uint16_t port_;
  const uint32_t id_;
  const uint32_t other_;
  uint32_t generation_ = 0;
};

// Sends numbers from `sent` on, below `count`, as a sender does that heeds the backlog.
inline void send_as_room_is(Host& host, uint32_t id, uint32_t& sent, uint32_t count) {
  while (sent < count && host.table.counters(id).backlog_bytes < host.limits.channel_queue_bytes_max * 8) {
    host.send(id, sent++);
  }
}

inline void check_in_order(const Host& host, uint32_t count) {
  REQUIRE(host.received.size() == count);
  for (uint32_t i = 0; i < count; i++) REQUIRE(host.received[i] == i);
}

// One message over a session of which nothing else is under way.
inline void send_one(Host& near, uint32_t id, Host& far, uint32_t number) {
  const size_t wanted = far.received.size() + 1;
  near.send(id, number);
  REQUIRE(turn_until(near, far, [&] { return far.received.size() == wanted; }));
}

// The host's side of a threaded loop: what the binding does, without JavaScript.
struct ThreadedHost : Host {
  ThreadedHost() : tables(3, std::vector<Record>(256)), place_tables(3, std::vector<RecordPlace>(256)) {
    for (size_t i = 0; i < tables.size(); i++) {
      batches.push_back(std::make_unique<ReceiveBatch>(tables[i].data(), place_tables[i].data(), 256));
      REQUIRE(batches.back()->renew(false, *pool));
    }
    thread = std::make_unique<LoopThread>(
        loop, *pool, std::vector<ReceiveBatch*>{batches[0].get(), batches[1].get(), batches[2].get()},
        releases, 20, -1);
    REQUIRE(thread->start());
  }
  ~ThreadedHost() { thread->stop(); }

  void collect(int timeout_ms) {
    pollfd ready{thread->notify_fd(), POLLIN, 0};
    poll(&ready, 1, timeout_ms);
    thread->take_notification();
    while (ReceiveBatch* filled = thread->next_filled(released)) {
      for (uint32_t i = 0; i < filled->records().count(); i++) {
        const Record& record = filled->records().record(i);
        if (record.kind == static_cast<int32_t>(RecordKind::kMessage)) {
          const Slab& slab = *filled->records().slabs()[static_cast<size_t>(record.slab)];
          CHECK(load_u32(slab.data() + record.front_offset) == static_cast<uint32_t>(record.tid_low));
          received.push_back(static_cast<uint32_t>(record.tid_low));
        } else {
          events.push_back(record);
        }
      }
      thread->give_back(filled, received.size() % 2 == 0);
    }
  }

  std::vector<std::vector<Record>> tables;
  std::vector<std::vector<RecordPlace>> place_tables;
  std::vector<std::unique_ptr<ReceiveBatch>> batches;
  LentReleases released;
  std::unique_ptr<LoopThread> thread;
};

}  // namespace msgr::test
