// The event loop over real loopback sockets, driven step by step, and on a thread of its own.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "test/io_support.h"
#include "test/secure_support.h"

using namespace msgr;
using namespace msgr::test;

TEST_CASE("address: text in, words out") {
  SocketAddress address;
  int32_t words[SocketAddress::kWords];
  REQUIRE(SocketAddress::parse(4, "127.1.2.3", 6800, address));
  address.append_words(words);
  CHECK(words[0] == (4 | 6800 << 16));
  CHECK(load_u32(reinterpret_cast<uint8_t*>(words + 1)) == 0x0302017f);
  REQUIRE(SocketAddress::parse(6, "fe80::1%lo", 1, address));
  address.append_words(words);
  CHECK(words[0] == (6 | 1 << 16));
  CHECK(words[5] == 1);
  for (const char* wrong : {"", "localhost", "1.2.3", "1.2.3.4.5", "::1", "256.1.1.1"}) {
    CHECK_FALSE(SocketAddress::parse(4, wrong, 1, address));
  }
  CHECK_FALSE(SocketAddress::parse(6, "fe80::1%nosuchinterface", 1, address));
  CHECK_FALSE(SocketAddress::parse(5, "127.0.0.1", 1, address));
}

TEST_CASE("address: both ends on one host") {
  const auto within = [](int family, const char* one, const char* other) {
    SocketAddress addresses[2];
    REQUIRE(SocketAddress::parse(family, one, 1, addresses[0]));
    REQUIRE(SocketAddress::parse(family, other, 2, addresses[1]));
    return SocketAddress::within_host(addresses[0], addresses[1]);
  };
  CHECK(within(4, "127.0.0.1", "127.0.1.9"));
  CHECK(within(4, "10.0.0.7", "10.0.0.7"));
  CHECK_FALSE(within(4, "10.0.0.7", "10.0.0.8"));
  CHECK_FALSE(within(4, "127.0.0.1", "10.0.0.8"));
  CHECK(within(6, "::1", "::1"));
  CHECK_FALSE(within(6, "fe80::1%lo", "fe80::2%lo"));
  CHECK_FALSE(SocketAddress::within_host(SocketAddress(), SocketAddress()));
}

TEST_CASE("an idle connection costs little") { CHECK(sizeof(Connection) <= 1024); }

TEST_CASE("loop: messages both ways, in order, and every one acknowledged") {
  Host near;
  Host far;
  const uint16_t port = listen_on(far);
  const uint32_t id = near.table.take();
  near.loop.create(id);
  const uint32_t other = connect_to(near, id, 1, far, port);
  CHECK(near.loop.open_count() == 1);
  CHECK(far.loop.open_count() == 2);
  near.loop.start_session(id, true);
  far.loop.start_session(other, true);
  for (uint32_t i = 0; i < 5000; i++) {
    near.send(id, i);
    far.send(other, i);
  }
  CHECK(turn_until(near, far, [&] {
    return near.received.size() == 5000 && far.received.size() == 5000 &&
           near.table.counters(id).outbox_count.load() == 0 &&
           far.table.counters(other).outbox_count.load() == 0;
  }));
  for (uint32_t i = 0; i < 5000; i++) {
    REQUIRE(near.received[i] == i);
    REQUIRE(far.received[i] == i);
  }
}

TEST_CASE("loop: a socket that is asked directly is heard of again, whatever happened meanwhile") {
  enum class Then { kMessages, kFullQueue, kGone };
  for (const Then then : {Then::kMessages, Then::kFullQueue, Then::kGone}) {
    Host near;
    Host far;
    const auto [id, other] = open_session(near, far, true);
    far.send(other, 0);
    CHECK(turn_until(near, far, [&] { return near.received.size() == 1; }));
    // Asked twice in vain; epoll does not tell of what comes then, and asking does.
    for (int i = 0; i < 2; i++) {
      REQUIRE(near.loop.queue_latest());
      near.turn(0);
    }
    far.send(other, 1);
    far.turn(0);
    CHECK(near.loop.poll(20) == 0);
    REQUIRE(near.loop.queue_latest());
    near.turn(0);
    CHECK(near.received.size() == 2);
    // A writer that has to wait is told of room all the same.
    const uint32_t sent = then == Then::kFullQueue ? 40000 : 1;
    for (uint32_t i = 0; i < sent; i++) near.send(id, i);
    near.turn(0);
    if (then == Then::kGone) {
      far.loop.disconnect(other, 2);
    } else {
      far.send(other, 2);
    }
    near.loop.listen();
    near.loop.listen();
    if (then == Then::kGone) {
      CHECK(turn_until(near, far, [&] { return near.last(RecordKind::kClosed) != nullptr; }));
    } else {
      CHECK(turn_until(near, far, [&] { return near.received.size() == 3 && far.received.size() == sent; }));
    }
  }
}

TEST_CASE("loop: a batch of eight records is delivered as often as it takes") {
  Host near({}, 8);
  Host far({}, 8);
  const auto [id, other] = open_session(near, far, false);
  for (uint32_t i = 0; i < 3000; i++) near.send(id, i);
  CHECK(turn_until(near, far, [&] { return far.received.size() == 3000; }));
  for (uint32_t i = 0; i < 3000; i++) REQUIRE(far.received[i] == i);
}

TEST_CASE("loop: a stream loses and doubles nothing when its socket breaks") {
  for (uint64_t seed = 0; seed < 6; seed++) {
    CAPTURE(seed);
    Host near(seed == 0 ? SocketFaults{} : SocketFaults{.failure_one_in = 300, .short_one_in = 30, .seed = seed});
    Host far;
    LastingSession session(near, far);
    constexpr uint32_t kCount = 60'000;
    uint32_t sent = 0;
    for (int round = 0; round < 1000 && far.received.size() < kCount; round++) {
      if (!session.connect()) continue;
      session.start();
      turn_until(near, far, [&] {
        send_as_room_is(near, session.id(), sent, kCount);
        return session.broken() || far.received.size() == kCount;
      });
    }
    check_in_order(far, kCount);
  }
}

TEST_CASE("loop: the kernel fits the buffers of a stream within one host, and of nothing else") {
  constexpr int kSendLock = 1;
  constexpr int kReceiveLock = 2;
  for (const bool lossless : {true, false}) {
    CAPTURE(lossless);
    Host near;
    Host far;
    const Ends ends = open_session(near, far, lossless);
    const uint32_t id = ends.id;
    const uint32_t other = ends.other;
    const auto locks = [](Host& host, uint32_t channel) {
      int value = 0;
      socklen_t size = sizeof value;
      REQUIRE(getsockopt(host.loop.descriptor_of(channel), SOL_SOCKET, SO_BUF_LOCK, &value, &size) == 0);
      return value;
    };
    const auto send = [&](uint32_t count) {
      const size_t wanted = far.received.size() + count;
      for (uint32_t i = 0; i < count; i++) near.send(id, i);
      REQUIRE(turn_until(near, far, [&] { return far.received.size() == wanted; }));
    };
    CHECK(locks(near, id) == (kSendLock | kReceiveLock));
    for (int i = 0; i < 8; i++) send(5000);
    CHECK(locks(near, id) == (lossless ? kReceiveLock : kSendLock | kReceiveLock));
    CHECK(locks(far, other) == (lossless ? kSendLock : kSendLock | kReceiveLock));
    for (int i = 0; i < 40; i++) send(1);
    CHECK(locks(near, id) == (kSendLock | kReceiveLock));
    // What the sender was promised room for may still be on its way.
    CHECK(locks(far, other) == (lossless ? kSendLock : kSendLock | kReceiveLock));
  }
}

TEST_CASE("loop: refused, and nothing else is closed") {
  Host near;
  Host far;
  const uint16_t port = listen_on(far);
  far.loop.remove_listener(0);
  const uint32_t id = near.table.take();
  near.loop.create(id);
  near.loop.connect(id, 1, loopback(port), {});
  REQUIRE(turn_until(near, far, [&] { return near.last(RecordKind::kClosed) != nullptr; }));
  const Record& closed = *near.last(RecordKind::kClosed);
  CHECK((closed.type_and_priority & 0xffff) == static_cast<int32_t>(CloseReason::kSystemError));
  CHECK((closed.versions & 0xffff) == ECONNREFUSED);
  CHECK(closed.tid_low == static_cast<int32_t>(SocketStep::kConnect));
  CHECK(near.loop.open_count() == 0);
}

TEST_CASE("loop: destroyed at every stage, and commands to a channel that is gone") {
  Host near;
  Host far;
  const uint16_t port = listen_on(far);
  for (int stage = 0; stage < 4; stage++) {
    const uint32_t id = near.table.take();
    near.loop.create(id);
    if (stage == 1) near.loop.connect(id, 1, loopback(port), {});
    if (stage >= 2) {
      const uint32_t other = connect_to(near, id, 1, far, port);
      if (stage == 3) {
        near.loop.start_session(id, true);
        far.loop.start_session(other, true);
        near.send(id, 1);
      }
    }
    near.loop.destroy(id);
    near.loop.destroy(id);
    near.loop.expect_frame(id);
    near.loop.disconnect(id, 9);
    near.loop.connect(id, 10, loopback(port), {});
    near.loop.reset_session(id);
    near.turn(0);
    CHECK(near.last(RecordKind::kDestroyed)->channel == static_cast<int32_t>(id));
    near.table.give_back(id);
  }
  CHECK(near.loop.open_count() == 0);
}

TEST_CASE("loop: sockets that break and bytes that come in pieces lose and double nothing") {
  for (uint64_t seed = 1; seed <= 12; seed++) {
    CAPTURE(seed);
    const bool secure = seed > 6;
    Host near({.failure_one_in = 60, .short_one_in = 3, .seed = seed});
    Host far({.failure_one_in = 60, .short_one_in = 3, .seed = seed + 100});
    LastingSession session(near, far);
    constexpr uint32_t kCount = 800;
    uint32_t sent = 0;
    for (int round = 0; round < 3000 && far.received.size() < kCount; round++) {
      if (!session.connect()) continue;
      if (secure) {
        const SecretsPair secrets = make_secrets(1000 * seed + session.generation());
        near.loop.secure(session.id(), secrets.near);
        far.loop.secure(session.other(), secrets.far);
      }
      near.loop.acknowledge(session.id(), far.table.counters(session.other()).in_seq.load());
      session.start();
      for (int i = 0; i < 20 && sent < kCount; i++) near.send(session.id(), sent++);
      turn_until(near, far, [&] {
        return near.last(RecordKind::kClosed) != nullptr ||
               near.table.counters(session.id()).outbox_count.load() == 0;
      });
      session.disconnect();
    }
    check_in_order(far, kCount);
  }
}

TEST_CASE("loop: without descriptors a connection is turned away, and the loop sleeps on") {
  Host near;
  Host far;
  const uint16_t port = listen_on(far);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(client >= 0);
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  const int probe = dup(client);
  close(probe);
  // No descriptor from `probe` on.
  const rlimit none{static_cast<rlim_t>(probe), before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const SocketAddress address = loopback(port);
  const int connected = connect(client, address.data(), address.size());
  far.turn(100);
  pollfd closed{client, POLLIN, 0};
  const int answered = poll(&closed, 1, 2000);
  const int still_ready = far.loop.poll(0);
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(connected == 0);
  CHECK(answered == 1);
  CHECK(still_ready == 0);
  CHECK(far.loop.open_count() == 1);
  close(client);
}

TEST_CASE("threaded: two loops on their threads, commands from this one") {
  bool secure = false;
  SUBCASE("crc mode") {}
  SUBCASE("secure mode") { secure = true; }
  ThreadedHost near;
  ThreadedHost far;
  const SocketResult listener = open_listener(loopback(0), {});
  REQUIRE(listener.ok());
  const uint16_t port = SocketAddress::local_of(listener.fd).port();
  far.thread->post([&](EventLoop& loop) { loop.add_listener(0, listener.fd, {}); });
  const uint32_t id = near.table.take();
  near.thread->post([=](EventLoop& loop) { loop.create(id); });
  near.thread->post([=](EventLoop& loop) { loop.connect(id, 1, loopback(port), {}); });
  for (int i = 0;
       i < 200 && (near.last(RecordKind::kOpened) == nullptr || far.last(RecordKind::kAccepted) == nullptr);
       i++) {
    near.collect(5);
    far.collect(5);
  }
  REQUIRE(far.last(RecordKind::kAccepted) != nullptr);
  REQUIRE(near.last(RecordKind::kOpened) != nullptr);
  const auto other = static_cast<uint32_t>(far.last(RecordKind::kAccepted)->channel);
  if (secure) {
    const SecretsPair secrets = make_secrets(71);
    near.thread->post([=](EventLoop& loop) { loop.secure(id, secrets.near); });
    far.thread->post([=](EventLoop& loop) { loop.secure(other, secrets.far); });
  }
  near.thread->post([=](EventLoop& loop) { loop.start_session(id, true); });
  far.thread->post([=](EventLoop& loop) { loop.start_session(other, true); });
  constexpr uint32_t kCount = 20'000;
  uint32_t sent = 0;
  for (int i = 0; i < 20'000 && far.received.size() < kCount; i++) {
    if (sent < kCount) {
      // The send slab is this thread's until the command that refers to it is posted; here the loop's
      // thread writes it whole.
      near.thread->post([&near, id, first = sent](EventLoop&) {
        for (uint32_t n = first; n < first + 100; n++) near.send(id, n);
      });
      sent += 100;
    }
    far.collect(sent < kCount ? 0 : 5);
    near.collect(0);
    // What JavaScript reads at any time.
    (void)near.table.counters(id).queued_bytes.load(std::memory_order_relaxed);
  }
  REQUIRE(far.received.size() == kCount);
  for (uint32_t i = 0; i < kCount; i++) REQUIRE(far.received[i] == i);
  near.thread->post([=](EventLoop& loop) { loop.destroy(id); });
  // The notification tells; the command that drain() waits for is counted a moment later.
  for (int i = 0; i < 200 && near.thread->maybe_open(); i++) near.collect(5);
  CHECK_FALSE(near.thread->maybe_open());
}

// The host counts what it posted, the loop what it has: the host stops at moments when the loop is not full.
TEST_CASE("threaded: a sender that stopped is told each time that its queue has drained") {
  ThreadedHost near;
  ThreadedHost far;
  const SocketResult listener = open_listener(loopback(0), {});
  REQUIRE(listener.ok());
  const uint16_t port = SocketAddress::local_of(listener.fd).port();
  far.thread->post([&](EventLoop& loop) { loop.add_listener(0, listener.fd, {}); });
  const uint32_t id = near.table.take();
  near.thread->post([=](EventLoop& loop) { loop.create(id); });
  near.thread->post([=](EventLoop& loop) { loop.connect(id, 1, loopback(port), {}); });
  for (int i = 0; i < 200 && far.last(RecordKind::kAccepted) == nullptr; i++) {
    near.collect(5);
    far.collect(5);
  }
  REQUIRE(far.last(RecordKind::kAccepted) != nullptr);
  const auto other = static_cast<uint32_t>(far.last(RecordKind::kAccepted)->channel);
  near.thread->post([=](EventLoop& loop) { loop.start_session(id, false); });
  far.thread->post([=](EventLoop& loop) { loop.start_session(other, false); });

  const ChannelCounters& counters = near.table.counters(id);
  const auto on_the_way = [&](uint64_t posted_bytes) {
    return posted_bytes - counters.spare[kAcceptedBytes].load(std::memory_order_relaxed) +
           counters.queued_bytes.load(std::memory_order_relaxed);
  };
  constexpr uint32_t kRounds = 200;
  constexpr uint32_t kBurst = 20;
  const uint64_t frame_bytes = message_frame_size({kFrontSize, 0, 0});
  uint64_t posted_bytes = 0;
  uint32_t sent = 0;
  for (uint32_t round = 0; round < kRounds; round++) {
    while (on_the_way(posted_bytes) < near.limits.channel_queue_bytes_max) {
      near.thread->post([&near, id, first = sent](EventLoop&) {
        for (uint32_t n = first; n < first + kBurst; n++) near.send(id, n);
      });
      sent += kBurst;
      posted_bytes += kBurst * frame_bytes;
      far.collect(0);
    }
    near.events.clear();
    near.thread->post([=](EventLoop& loop) { loop.want_drained(id); });
    for (int i = 0; i < 1000 && near.last(RecordKind::kDrained) == nullptr; i++) {
      near.collect(1);
      far.collect(0);
    }
    REQUIRE(near.last(RecordKind::kDrained) != nullptr);
  }
  for (int i = 0; i < 1000 && far.received.size() < sent; i++) far.collect(5);
  CHECK(far.received.size() == sent);
}

TEST_CASE("threaded: stopped with traffic running and commands waiting") {
  for (int round = 0; round < 20; round++) {
    ThreadedHost host;
    const uint32_t id = host.table.take();
    const SocketResult listener = open_listener(loopback(0), {});
    REQUIRE(listener.ok());
    const uint16_t port = SocketAddress::local_of(listener.fd).port();
    host.thread->post([=](EventLoop& loop) { loop.add_listener(0, listener.fd, {}); });
    host.thread->post([=](EventLoop& loop) { loop.create(id); });
    host.thread->post([=](EventLoop& loop) { loop.connect(id, 1, loopback(port), {}); });
    if (round % 2 == 0) host.collect(1);
    host.thread->stop();
    // Every command ran, so the loop owns what they carried.
    CHECK(host.loop.open_count() >= 1);
  }
}

TEST_CASE("pool: trimmed to what may wait, the rest unmapped") {
  SlabPool* pool = SlabPool::create(64 * 1024, 1024 * 1024);
  {
    std::vector<SlabRef> held;
    for (int i = 0; i < 8; i++) held.push_back(pool->take());
    held.push_back(pool->take_large(200 * 1024));
  }
  CHECK(pool->idle_bytes() == 8 * 64 * 1024 + 256 * 1024);
  pool->trim(3 * 64 * 1024);
  CHECK(pool->idle_bytes() == 3 * 64 * 1024);
  pool->trim(0);
  CHECK(pool->idle_bytes() == 0);
  CHECK(pool->take());
  pool->close();
}

TEST_CASE("loop: a stream without nonces is closed with the reason, and the peer hears of it") {
  const SecretsPair secrets = make_secrets(72);
  Host near;
  Host far;
  const uint16_t port = listen_on(far);
  const uint32_t id = near.table.take();
  near.loop.create(id);
  const uint32_t other = connect_to(near, id, 1, far, port);
  near.loop.secure(id, secrets.near);
  far.loop.secure(other, secrets.far);
  near.loop.start_session(id, true);
  far.loop.start_session(other, true);
  near.send(id, 0);
  CHECK(turn_until(near, far, [&] { return near.table.counters(id).outbox_count.load() == 0; }));
  Nonces& nonces = near.loop.channel_of(id).sealer()->nonces();
  nonces.skip(~nonces.taken());
  near.send(id, 1);
  REQUIRE(turn_until(near, far, [&] { return far.last(RecordKind::kClosed) != nullptr; }));
  const Record* closed = near.last(RecordKind::kClosed);
  REQUIRE(closed != nullptr);
  CHECK((closed->type_and_priority & 0xffff) == static_cast<int>(CloseReason::kBadFrame));
  CHECK((closed->versions & 0xffff) == static_cast<int>(FrameError::kNoncesUsed));
  CHECK(far.received.size() == 1);
  CHECK(near.loop.open_count() == 0);
}
