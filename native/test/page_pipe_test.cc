#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "core/io/page_pipe.h"
#include "test/support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

// Two ends of a TCP connection over loopback; the near one does not block.
struct Connected {
  int near = -1;
  int far = -1;

  Connected() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(listen(listener, 1) == 0);
    REQUIRE(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    near = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(connect(near, reinterpret_cast<sockaddr*>(&address), size) == 0);
    far = accept(listener, nullptr, nullptr);
    REQUIRE(far >= 0);
    close(listener);
    fcntl(near, F_SETFL, O_NONBLOCK);
  }
  ~Connected() {
    close(near);
    close(far);
  }
  Buffer read(size_t size) const {
    Buffer bytes(size);
    for (size_t got = 0; got < size;) {
      const ssize_t moved = recv(far, bytes.data() + got, size - got, 0);
      REQUIRE(moved > 0);
      got += static_cast<size_t>(moved);
    }
    return bytes;
  }
};

struct Pages {
  static constexpr size_t kBytes = 4 * 1024 * 1024;
  uint8_t* data;
  explicit Pages(uint64_t seed) {
    data = static_cast<uint8_t*>(
        mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(data != MAP_FAILED);
    Random(seed).fill({data, kBytes});
  }
  ~Pages() { munmap(data, kBytes); }
};

}  // namespace

TEST_CASE("page pipe: bytes of any place and length arrive as they are, in order") {
  const IgnoredPipeSignal ignored;
  const Connected sockets;
  const Pages pages(1);
  PagePipe pipe;
  REQUIRE(pipe.usable());
  Random random(2);
  for (int round = 0; round < 40; round++) {
    iovec pieces[64];
    const size_t count = 1 + random.below(64);
    Buffer expected;
    for (size_t i = 0; i < count; i++) {
      const size_t size = 1 + random.below(round % 2 == 0 ? 3000 : 30'000);
      uint8_t* at = pages.data + random.below(Pages::kBytes - size);
      pieces[i] = {at, size};
      append_bytes(expected, Bytes(at, size));
    }
    size_t sent = 0;
    Buffer arrived;
    while (sent < expected.size()) {
      iovec rest[64];
      size_t rest_count = 0;
      size_t skip = sent;
      for (size_t i = 0; i < count; i++) {
        const size_t skipped = std::min(skip, pieces[i].iov_len);
        skip -= skipped;
        if (skipped == pieces[i].iov_len) continue;
        rest[rest_count++] = {static_cast<uint8_t*>(pieces[i].iov_base) + skipped,
                              pieces[i].iov_len - skipped};
      }
      const ssize_t moved = pipe.send(sockets.near, rest, rest_count);
      REQUIRE(moved > 0);
      append_bytes(arrived, sockets.read(static_cast<size_t>(moved)));
      sent += static_cast<size_t>(moved);
    }
    REQUIRE(arrived == expected);
  }
}

TEST_CASE("page pipe: what a full socket does not take gets into no other stream") {
  const IgnoredPipeSignal ignored;
  const Connected full;
  const Connected other;
  const Pages pages(3);
  PagePipe pipe;
  REQUIRE(pipe.usable());
  size_t taken = 0;
  for (;;) {
    const iovec piece{pages.data + taken % (Pages::kBytes / 2), Pages::kBytes / 2};
    const ssize_t moved = pipe.send(full.near, &piece, 1);
    if (moved == -EAGAIN) break;
    REQUIRE(moved > 0);
    taken += static_cast<size_t>(moved);
    REQUIRE(taken < (size_t{1} << 30));
    if (static_cast<size_t>(moved) < piece.iov_len) {
      const iovec between{pages.data + 5, 100};
      REQUIRE(pipe.send(other.near, &between, 1) == 100);
      CHECK(other.read(100) == Buffer(pages.data + 5, pages.data + 105));
    }
  }
  CHECK(taken > 0);
  const iovec last{pages.data + 77, 10'000};
  REQUIRE(pipe.send(other.near, &last, 1) == 10'000);
  CHECK(other.read(10'000) == Buffer(pages.data + 77, pages.data + 10'077));
  (void)full.read(taken);
}

TEST_CASE("page pipe: the peer reads what stands there when it reads, which is why slabs have one reader") {
  const IgnoredPipeSignal ignored;
  const Connected sockets;
  const Pages pages(4);
  PagePipe pipe;
  REQUIRE(pipe.usable());
  const iovec piece{pages.data, 50'000};
  REQUIRE(pipe.send(sockets.near, &piece, 1) == 50'000);
  std::fill_n(pages.data + 20'000, 100, 0xee);
  const Buffer arrived = sockets.read(50'000);
  CHECK(arrived[20'050] == 0xee);
  CHECK(arrived == Buffer(pages.data, pages.data + 50'000));
}

TEST_CASE("page pipe: unmapped pages stay what they were for the peer") {
  const IgnoredPipeSignal ignored;
  const Connected sockets;
  PagePipe pipe;
  REQUIRE(pipe.usable());
  Buffer expected;
  {
    const Pages pages(5);
    expected.assign(pages.data, pages.data + 100'000);
    const iovec piece{pages.data, 100'000};
    REQUIRE(pipe.send(sockets.near, &piece, 1) == 100'000);
  }
  const Pages others(6);
  CHECK(sockets.read(100'000) == expected);
}

TEST_CASE("page pipe: a peer that has gone is an error of its socket, and no signal ends the process") {
  const Connected sockets;
  const Pages pages(7);
  PagePipe pipe;
  void (*const before)(int) = std::signal(SIGPIPE, SIG_DFL);
  CHECK_FALSE(pipe.usable());
  {
    const IgnoredPipeSignal ignored;
    REQUIRE(pipe.usable());
    shutdown(sockets.near, SHUT_WR);
    const iovec piece{pages.data, 300'000};
    CHECK(pipe.send(sockets.near, &piece, 1) == -EPIPE);
    const Connected next;
    REQUIRE(pipe.send(next.near, &piece, 1) > 0);
    CHECK(next.read(1000) == Buffer(pages.data, pages.data + 1000));
  }
  std::signal(SIGPIPE, before);
}

TEST_CASE("page pipe: where nothing can be spliced to it says so once, and is not asked again") {
  const IgnoredPipeSignal ignored;
  const Pages pages(8);
  PagePipe pipe;
  REQUIRE(pipe.usable());
  const int no_socket = eventfd(0, EFD_NONBLOCK);
  const iovec piece{pages.data, 5000};
  CHECK(pipe.send(no_socket, &piece, 1) == -EAGAIN);
  CHECK_FALSE(pipe.usable());
  close(no_socket);
}
