#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>
#include <thread>

#include "core/io/shared_link.h"
#include "test/io_support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

constexpr uint8_t kSwitchedTag = 0x70;

struct Secret {
  std::array<uint8_t, kSharedNameBytes> name;
  std::array<uint8_t, kSharedTokenBytes> token;

  explicit Secret(uint8_t seed) {
    // Other tests may run on this host at the same time.
    std::random_device random;
    for (uint8_t& byte : name) byte = static_cast<uint8_t>(random());
    token.fill(seed);
  }
};

struct Links {
  std::unique_ptr<SharedLink> near;
  std::unique_ptr<SharedLink> far;

  Links() {
    const Secret secret(1);
    far = SharedLink::invite(secret.name);
    REQUIRE(far);
    near = SharedLink::give(secret.name, secret.token);
    REQUIRE(near);
    REQUIRE(far->take(secret.token));
    REQUIRE(near->ready());
    REQUIRE(far->ready());
  }
};

// A ring in memory of this test, whose words it may set as a hostile peer would.
struct SharedWords {
  static constexpr size_t kBytes = 64;
  SharedRingWords words{};
  uint8_t bytes[kBytes] = {};
  SharedRingWriter writer{words, bytes, kBytes};
  SharedRingReader reader{words, bytes, kBytes};

  ssize_t write(const void* from, size_t size) {
    const iovec piece{const_cast<void*>(from), size};
    return writer.write(&piece, 1);
  }
};

// What a giver does, with another descriptor than the memory.
void hand_over(const Secret& secret, int fd, size_t token_bytes = kSharedTokenBytes, size_t count = 1) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string path = "msgr2-";
  for (const uint8_t byte : secret.name) {
    constexpr char kHex[] = "0123456789abcdef";
    path += {kHex[byte >> 4], kHex[byte & 15]};
  }
  std::memcpy(address.sun_path + 1, path.data(), path.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(connect(socket, reinterpret_cast<sockaddr*>(&address),
                  static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + path.size())) == 0);
  iovec piece{const_cast<uint8_t*>(secret.token.data()), token_bytes};
  constexpr size_t kCountMax = 16;
  alignas(cmsghdr) char control[CMSG_SPACE(kCountMax * sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof fd);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof fd);
    const std::vector<int> fds(count, fd);
    std::memcpy(CMSG_DATA(header), fds.data(), count * sizeof fd);
  }
  REQUIRE(sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(token_bytes));
  close(socket);
}

// Of all links of this process, both ends.
std::vector<MutableBytes> shared_memory() {
  std::vector<MutableBytes> found;
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  REQUIRE(maps != nullptr);
  char line[512];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::strstr(line, "memfd:msgr2") == nullptr || std::sscanf(line, "%lx-%lx", &begin, &end) != 2) continue;
    found.emplace_back(reinterpret_cast<uint8_t*>(begin), end - begin);
  }
  std::fclose(maps);
  return found;
}

int descriptors() {
  int count = 0;
  for (int fd = 0; fd < 1024; fd++) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

void become_busy(Host& near, uint32_t id, Host& far) {
  while (near.last(RecordKind::kBusy) == nullptr) {
    send_one(near, id, far, static_cast<uint32_t>(far.received.size()));
    REQUIRE(far.received.size() < 100'000);
  }
}

// Both directions go over to the link, as src/messenger/shared-memory.ts has it. False: a socket broke meanwhile.
bool share(Host& near, uint32_t id, Host& far, uint32_t other) {
  const Secret secret(2);
  if (!far.loop.share_invite(other, secret.name)) return false;
  REQUIRE(near.loop.share_give(id, secret.name, secret.token));
  REQUIRE(far.loop.share_take(other, secret.token));
  const auto switched = [&](Host& host) {
    const Record* frame = host.last(RecordKind::kFrame);
    return frame != nullptr && frame->type_and_priority == kSwitchedTag;
  };
  const auto broken = [&] {
    return near.last(RecordKind::kClosed) != nullptr || far.last(RecordKind::kClosed) != nullptr;
  };
  far.loop.send_control(other, kSwitchedTag, {});
  far.loop.share_output(other);
  REQUIRE(turn_until(near, far, [&] { return switched(near) || broken(); }));
  if (broken()) return false;
  near.loop.share_input(id);
  near.loop.send_control(id, kSwitchedTag, {});
  near.loop.share_output(id);
  REQUIRE(turn_until(near, far, [&] { return switched(far) || broken(); }));
  if (broken()) return false;
  far.loop.share_input(other);
  return true;
}

struct SharedHosts {
  Host near;
  Host far;
  uint32_t id;
  uint32_t other;

  explicit SharedHosts(bool lossless = true) {
    const Ends ends = open_session(near, far, lossless);
    id = ends.id;
    other = ends.other;
    REQUIRE(share(near, id, far, other));
  }
};

}  // namespace

TEST_CASE("shared ring: bytes come out as they went in, across every border") {
  SharedWords ring;
  std::minstd_rand random(1);
  uint8_t in = 0;
  uint8_t out = 0;
  for (int i = 0; i < 20'000; i++) {
    uint8_t some[SharedWords::kBytes + 8];
    const size_t wanted = random() % (sizeof some + 1);
    uint8_t next = in;
    for (size_t k = 0; k < wanted; k++) some[k] = next++;
    const size_t cut = wanted == 0 ? 0 : random() % wanted;
    const iovec pieces[2] = {{some, cut}, {some + cut, wanted - cut}};
    const ssize_t written = ring.writer.write(pieces, 2);
    if (written != -EAGAIN) in = static_cast<uint8_t>(in + written);
    const ssize_t read = ring.reader.read(some, random() % sizeof some);
    for (ssize_t k = 0; k < read; k++) REQUIRE(some[k] == out++);
  }
  CHECK(ring.words.written > 200'000);
}

TEST_CASE("shared ring: who waits is rung for once, and not for what it would see anyway") {
  SharedWords ring;
  uint8_t some[SharedWords::kBytes] = {};
  ring.reader.ask();
  CHECK(ring.reader.empty());
  REQUIRE(ring.write(some, 10) == 10);
  CHECK(ring.writer.must_ring());
  CHECK_FALSE(ring.writer.must_ring());
  CHECK_FALSE(ring.reader.empty());
  ring.reader.ask();
  ring.reader.stop_asking();
  REQUIRE(ring.write(some, 10) == 10);
  CHECK_FALSE(ring.writer.must_ring());

  CHECK_FALSE(ring.writer.wait());
  REQUIRE(ring.write(some, sizeof some) == SharedWords::kBytes - 20);
  CHECK(ring.write(some, 1) == -EAGAIN);
  REQUIRE(ring.writer.wait());
  REQUIRE(ring.reader.read(some, 31) == 31);
  CHECK_FALSE(ring.reader.must_ring());
  REQUIRE(ring.reader.read(some, 1) == 1);
  CHECK(ring.reader.must_ring());
  CHECK_FALSE(ring.reader.must_ring());
}

TEST_CASE("shared ring: words that cannot be true are an error, and nothing is touched") {
  uint8_t some[SharedWords::kBytes] = {};
  for (const uint64_t written : {uint64_t{SharedWords::kBytes} + 1, UINT64_MAX, uint64_t{1} << 63}) {
    SharedWords ring;
    ring.words.written = written;
    CHECK(ring.reader.read(some, sizeof some) == -EPROTO);
  }
  for (const uint64_t read : {uint64_t{1}, UINT64_MAX, uint64_t{1} << 63}) {
    SharedWords ring;
    ring.words.read = read;
    CHECK(ring.write(some, 10) == (read == UINT64_MAX ? 10 : -EPROTO));
  }
}

TEST_CASE("shared link: two threads that sleep whenever they can lose no byte and no bell") {
  Links links;
  constexpr uint64_t kBytes = 24 * 1024 * 1024;
  const auto sleep = [](SharedLink& link) {
    pollfd bell{link.bell_fd(), POLLIN, 0};
    // Bounded: a bell that is lost is a failed test and no hang.
    REQUIRE(poll(&bell, 1, 20'000) == 1);
    REQUIRE(link.clear_bell());
  };
  std::thread writer([&] {
    std::minstd_rand random(3);
    std::vector<uint8_t> some(300'000);
    for (uint64_t sent = 0; sent < kBytes;) {
      const auto wanted = std::min<uint64_t>(1 + random() % some.size(), kBytes - sent);
      for (uint64_t i = 0; i < wanted; i++) some[i] = static_cast<uint8_t>((sent + i) * 31 >> 8);
      for (uint64_t done = 0; done < wanted;) {
        const iovec piece{some.data() + done, wanted - done};
        const ssize_t moved = links.near->write(&piece, 1);
        REQUIRE((moved > 0 || moved == -EAGAIN));
        if (moved > 0) {
          done += static_cast<uint64_t>(moved);
        } else if (links.near->wait_for_room()) {
          sleep(*links.near);
        }
      }
      sent += wanted;
    }
  });
  std::vector<uint8_t> some(200'000);
  std::minstd_rand random(4);
  bool right = true;
  for (uint64_t got = 0; got < kBytes;) {
    const ssize_t moved = links.far->read(some.data(), 1 + random() % some.size());
    REQUIRE((moved > 0 || moved == -EAGAIN));
    if (moved == -EAGAIN) {
      links.far->ask_for_bell();
      if (links.far->empty()) sleep(*links.far);
      links.far->stop_asking_for_bell();
      continue;
    }
    for (ssize_t i = 0; i < moved; i++) {
      right = right && some[static_cast<size_t>(i)] == static_cast<uint8_t>((got + static_cast<uint64_t>(i)) * 31 >> 8);
    }
    got += static_cast<uint64_t>(moved);
  }
  writer.join();
  CHECK(right);
  CHECK(links.far->empty());
}

TEST_CASE("shared link: only who shows the token, with memory that nobody can cut off, is taken") {
  const int before = descriptors();
  const auto taken = [](auto&& offer) {
    const Secret secret(7);
    const auto link = SharedLink::invite(secret.name);
    REQUIRE(link);
    offer(secret);
    const bool done = link->take(secret.token);
    CHECK(done == link->ready());
    return done;
  };
  constexpr off_t kMemoryBytes = kSharedMemoryBytes;
  const auto memory = [](off_t size, int seals) {
    const int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    REQUIRE(ftruncate(fd, size) == 0);
    REQUIRE(fcntl(fd, F_ADD_SEALS, seals) == 0);
    return fd;
  };
  const auto hands_over = [&](off_t size, int seals, size_t token_bytes = kSharedTokenBytes, size_t count = 1) {
    return taken([&](const Secret& secret) {
      const int fd = memory(size, seals);
      hand_over(secret, fd, token_bytes, count);
      close(fd);
    });
  };
  CHECK(hands_over(kMemoryBytes, F_SEAL_SHRINK | F_SEAL_GROW));
  CHECK_FALSE(hands_over(kMemoryBytes, F_SEAL_GROW));
  CHECK_FALSE(hands_over(kMemoryBytes - 4096, F_SEAL_SHRINK | F_SEAL_GROW));
  CHECK_FALSE(hands_over(kMemoryBytes + 4096, F_SEAL_SHRINK | F_SEAL_GROW));
  CHECK_FALSE(hands_over(0, F_SEAL_SHRINK | F_SEAL_GROW));
  CHECK_FALSE(hands_over(kMemoryBytes, F_SEAL_SHRINK | F_SEAL_GROW, kSharedTokenBytes - 1));
  for (const size_t count : {2, 3, 16}) {
    CHECK_FALSE(hands_over(kMemoryBytes, F_SEAL_SHRINK | F_SEAL_GROW, kSharedTokenBytes, count));
    CHECK_FALSE(hands_over(kMemoryBytes, F_SEAL_SHRINK | F_SEAL_GROW, 5, count));
  }
  CHECK_FALSE(taken([](const Secret&) {}));
  CHECK_FALSE(taken([](const Secret& secret) { hand_over(secret, -1); }));
  // What is no memory at all.
  CHECK_FALSE(taken([](const Secret& secret) {
    int pipe_fds[2];
    REQUIRE(pipe(pipe_fds) == 0);
    hand_over(secret, pipe_fds[1]);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
  }));
  // Strangers, who saw the name only, are turned away, and the right one is taken behind them.
  const auto behind_strangers = [&](int strangers) {
    return taken([&](const Secret& secret) {
      Secret wrong = secret;
      wrong.token.fill(0x55);
      const int fd = memory(kMemoryBytes, F_SEAL_SHRINK | F_SEAL_GROW);
      for (int i = 0; i < strangers; i++) hand_over(wrong, fd);
      hand_over(secret, fd);
      close(fd);
    });
  };
  CHECK(behind_strangers(1));
  CHECK(behind_strangers(7));
  // Nobody listens there.
  const Secret nowhere(9);
  CHECK(SharedLink::give(nowhere.name, nowhere.token) == nullptr);
  CHECK(SharedLink::give(nowhere.name, Bytes(nowhere.token).first(3)) == nullptr);
  CHECK(SharedLink::invite(Bytes(nowhere.name).first(3)) == nullptr);
  const auto twice = SharedLink::invite(nowhere.name);
  CHECK(SharedLink::invite(nowhere.name) == nullptr);
  CHECK(descriptors() == before + 1);
}

TEST_CASE("loop: a session goes over to a link in the middle of its streams, and back to a socket when that breaks") {
  for (uint64_t seed = 0; seed < 8; seed++) {
    CAPTURE(seed);
    const SocketFaults faults =
        seed == 0 ? SocketFaults{} : SocketFaults{.failure_one_in = 200, .short_one_in = 20, .seed = seed};
    Host near(faults);
    Host far;
    const uint16_t port = listen_on(far);
    const uint32_t id = near.table.take();
    const uint32_t session = far.table.take();
    near.loop.create(id);
    far.loop.create(session);
    constexpr uint32_t kCount = 60'000;
    uint32_t sent = 0;
    uint32_t answered = 0;
    uint32_t generation = 0;
    int links = 0;
    const auto done = [&] { return far.received.size() == kCount && near.received.size() == kCount / 4; };
    for (int round = 0; round < 3000 && !done(); round++) {
      near.events.clear();
      far.events.clear();
      near.loop.connect(id, ++generation, loopback(port), {});
      REQUIRE(turn_until(near, far, [&] { return far.last(RecordKind::kAccepted) != nullptr; }));
      far.loop.adopt(session, generation, static_cast<uint32_t>(far.last(RecordKind::kAccepted)->channel));
      REQUIRE(turn_until(near, far, [&] {
        return near.last(RecordKind::kOpened) != nullptr || near.last(RecordKind::kClosed) != nullptr;
      }));
      near.loop.start_session(id, true);
      far.loop.start_session(session, true);
      // As a sender does that heeds the backlog.
      const auto fill = [&] {
        while (sent < kCount && near.table.counters(id).backlog_bytes < near.limits.channel_queue_bytes_max * 8)
          near.send(id, sent++);
        while (answered < kCount / 4 &&
               far.table.counters(session).backlog_bytes < far.limits.channel_queue_bytes_max * 8)
          far.send(session, answered++);
      };
      fill();
      if (near.last(RecordKind::kClosed) == nullptr && share(near, id, far, session)) links++;
      turn_until(near, far, [&] {
        fill();
        return near.last(RecordKind::kClosed) != nullptr || far.last(RecordKind::kClosed) != nullptr || done();
      });
    }
    REQUIRE(done());
    for (uint32_t i = 0; i < kCount; i++) REQUIRE(far.received[i] == i);
    for (uint32_t i = 0; i < kCount / 4; i++) REQUIRE(near.received[i] == i);
    CHECK(links > 0);
    CHECK(turn_until(near, far, [&] {
      return near.table.counters(id).outbox_count.load() == 0 && near.table.counters(id).queued_bytes.load() == 0;
    }));
  }
}

TEST_CASE("loop: a link is looked at while the loop is awake, and rings when it sleeps") {
  SharedHosts hosts;
  Host& near = hosts.near;
  Host& far = hosts.far;
  const uint32_t other = hosts.other;
  far.send(other, 0);
  CHECK(turn_until(near, far, [&] { return near.received.size() == 1; }));
  // Awake, whether it asks for the latest or for all: nobody rings.
  far.send(other, 1);
  far.turn(0);
  REQUIRE(near.loop.queue_latest());
  near.turn(0);
  CHECK(near.received.size() == 2);
  far.send(other, 2);
  far.turn(0);
  CHECK(near.loop.poll(0) == 1);
  near.turn(0);
  CHECK(near.received.size() == 3);
  pollfd epoll{near.loop.epoll_fd(), POLLIN, 0};
  CHECK(poll(&epoll, 1, 0) == 0);
  // What came before it goes to sleep is found then, and what comes after rings.
  far.send(other, 3);
  far.turn(0);
  near.loop.listen();
  CHECK(near.loop.has_pending());
  near.turn(0);
  CHECK(near.received.size() == 4);
  near.loop.listen();
  CHECK_FALSE(near.loop.has_pending());
  far.send(other, 4);
  far.turn(0);
  CHECK(poll(&epoll, 1, 1000) == 1);
  near.turn(0);
  CHECK(near.received.size() == 5);
}

TEST_CASE("loop: what was written into a link before the socket ended is read, paused or not") {
  for (const bool paused : {false, true}) {
    CAPTURE(paused);
    SharedHosts hosts(false);
    Host& near = hosts.near;
  Host& far = hosts.far;
  const uint32_t id = hosts.id;
  const uint32_t other = hosts.other;
    if (paused) far.loop.pause_reading(other);
    constexpr uint32_t kCount = 2000;
    for (uint32_t i = 0; i < kCount; i++) near.send(id, i);
    near.turn(0);
    near.loop.disconnect(id, 2);
    if (paused) {
      for (int i = 0; i < 50; i++) far.turn(0);
      CHECK(far.received.empty());
      CHECK(far.last(RecordKind::kClosed) == nullptr);
      far.loop.resume_reading(other);
    }
    CHECK(turn_until(near, far, [&] { return far.last(RecordKind::kClosed) != nullptr; }));
    REQUIRE(far.received.size() == kCount);
    for (uint32_t i = 0; i < kCount; i++) REQUIRE(far.received[i] == i);
    CHECK((far.last(RecordKind::kClosed)->type_and_priority & 0xffff) ==
          static_cast<int32_t>(CloseReason::kPeerClosed));
  }
}

TEST_CASE("loop: a full link holds its sender back until the reader goes on") {
  SharedHosts hosts;
  Host& near = hosts.near;
  Host& far = hosts.far;
  const uint32_t id = hosts.id;
  const uint32_t other = hosts.other;
  far.loop.pause_reading(other);
  constexpr uint32_t kCount = 20'000;
  for (uint32_t i = 0; i < kCount; i++) near.send(id, i);
  for (int i = 0; i < 50; i++) {
    near.turn(0);
    far.turn(0);
  }
  CHECK(far.received.empty());
  CHECK(near.table.counters(id).queued_bytes.load() > 1'000'000);
  CHECK_FALSE(near.loop.has_output());
  far.loop.resume_reading(other);
  CHECK(turn_until(near, far, [&] { return far.received.size() == kCount; }));
}

TEST_CASE("loop: a link gives no more in a turn than a socket, and is read on in the next one") {
  SharedHosts hosts;
  Host& near = hosts.near;
  Host& far = hosts.far;
  constexpr uint32_t kCount = 4000;
  for (uint32_t i = 0; i < kCount; i++) near.send(hosts.id, i);
  near.turn(0);
  const uint64_t written = near.table.counters(hosts.id).bytes_sent.load();
  REQUIRE(written > 2 * far.limits.receive_turn_bytes_max);
  for (int turn = 1; far.received.size() < kCount; turn++) {
    REQUIRE(turn < 10);
    const uint64_t before = far.loop.bytes_received();
    // Does not sleep, although nobody rings.
    far.turn(20'000);
    CHECK(far.loop.bytes_received() - before <= far.limits.receive_turn_bytes_max);
    CHECK_FALSE(far.loop.has_pending());
    far.loop.listen();
    CHECK(far.loop.has_pending() == (far.received.size() < kCount));
  }
}

TEST_CASE("loop: a peer that writes anything anywhere into the memory costs its connection, and nothing else") {
  std::minstd_rand random(11);
  int closed = 0;
  for (int trial = 0; trial < 60; trial++) {
    CAPTURE(trial);
    SharedHosts hosts;
    Host& near = hosts.near;
    Host& far = hosts.far;
    const std::vector<MutableBytes> memory = shared_memory();
    REQUIRE(memory.size() == 2);
    // What is written there is no message, so nothing may come out of it that was not sent.
    uint32_t sent = 0;
    for (int step = 0; step < 40 && far.last(RecordKind::kClosed) == nullptr; step++) {
      for (int i = 0; i < 50; i++) near.send(hosts.id, sent++);
      for (int i = 0; i < 50; i++) far.send(hosts.other, sent);
      near.turn(0);
      const MutableBytes bytes = memory[random() % 2];
      const bool words = random() % 2 == 0;
      const size_t direction = random() % 2 * (kSharedMemoryBytes / 2);
      for (int i = 0; i < 4; i++) {
        const size_t at = direction + random() % (words ? 512 : 4096 + 64 * 1024);
        bytes[at] = static_cast<uint8_t>(random());
      }
      far.turn(0);
      near.turn(0);
    }
    if (far.last(RecordKind::kClosed) != nullptr || near.last(RecordKind::kClosed) != nullptr) closed++;
    REQUIRE(far.received.size() <= sent);
    for (uint32_t i = 0; i < far.received.size(); i++) REQUIRE(far.received[i] == i);
  }
  CHECK(closed > 20);
}

TEST_CASE("loop: bytes on the socket beside a link end the connection") {
  SharedHosts hosts;
  Host& near = hosts.near;
  Host& far = hosts.far;
  const uint32_t id = hosts.id;
  REQUIRE(send(near.loop.descriptor_of(id), "x", 1, MSG_NOSIGNAL) == 1);
  near.loop.disconnect(id, 2);
  CHECK(turn_until(near, far, [&] { return far.last(RecordKind::kClosed) != nullptr; }));
  CHECK((far.last(RecordKind::kClosed)->versions & 0xffff) == EPROTO);
}

TEST_CASE("loop: a busy session within the host is told of, once for its socket") {
  Host near;
  Host far;
  const auto [id, other] = open_session(near, far, true);
  become_busy(near, id, far);
  near.events.clear();
  for (uint32_t i = 0; i < 500; i++) send_one(near, id, far, i);
  CHECK(near.last(RecordKind::kBusy) == nullptr);
}

TEST_CASE("loop: what does not fit together makes no link") {
  Host near;
  Host far;
  const uint16_t port = listen_on(far);
  const uint32_t id = near.table.take();
  near.loop.create(id);
  const Secret secret(5);
  const uint32_t other = connect_to(near, id, 1, far, port);
  // Before the session, without an invitation, without a channel.
  CHECK_FALSE(far.loop.share_invite(other, secret.name));
  near.loop.start_session(id, true);
  far.loop.start_session(other, true);
  CHECK_FALSE(far.loop.share_take(other, secret.token));
  CHECK_FALSE(near.loop.share_give(id, secret.name, secret.token));
  CHECK_FALSE(near.loop.share_invite(77, secret.name));
  near.loop.share_output(id);
  near.loop.share_input(id);
  REQUIRE(far.loop.share_invite(other, secret.name));
  CHECK_FALSE(far.loop.share_invite(other, secret.name));
  // Given up, and tried anew.
  far.loop.share_nothing(other);
  CHECK_FALSE(near.loop.share_give(id, secret.name, secret.token));
  REQUIRE(share(near, id, far, other));
  far.loop.share_nothing(other);
  near.send(id, 0);
  CHECK(turn_until(near, far, [&] { return far.received.size() == 1; }));
}
