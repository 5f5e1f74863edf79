// Two ends of a link: how they come by the memory, and how they wake each other.
#include "core/io/shared_link.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "test/shared_support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

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

int descriptors() {
  int count = 0;
  for (int fd = 0; fd < 1024; fd++) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

}  // namespace

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
    const ssize_t moved = read_some(*links.far, some.data(), 1 + random() % some.size());
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
