#include "core/io/socket_io.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace msgr {
namespace {

constexpr size_t kShortBytes = 7;

}  // namespace

ssize_t SocketIo::receive_plain(int fd, uint8_t* to, size_t size) {
  for (;;) {
    const ssize_t moved = recv(fd, to, size, MSG_DONTWAIT);
    if (moved >= 0) return moved;
    if (errno != EINTR) return -errno;
  }
}

ssize_t SocketIo::send_plain(int fd, const iovec* from, size_t count) {
  for (;;) {
    ssize_t moved;
    if (count == 1) {
      moved = ::send(fd, from->iov_base, from->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(from);
      message.msg_iovlen = count;
      moved = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (moved >= 0) return moved;
    if (errno != EINTR) return -errno;
  }
}

ssize_t SocketIo::receive_faulty(int fd, uint8_t* to, size_t size) {
  if (hits(faults_.failure_one_in)) shutdown(fd, SHUT_RDWR);
  return receive_plain(fd, to, hits(faults_.short_one_in) ? std::min(size, kShortBytes) : size);
}

ssize_t SocketIo::send_faulty(int fd, const iovec* from, size_t count) {
  if (hits(faults_.failure_one_in)) shutdown(fd, SHUT_RDWR);
  if (!hits(faults_.short_one_in)) return send_plain(fd, from, count);
  const iovec piece{from->iov_base, std::min(from->iov_len, kShortBytes)};
  return send_plain(fd, &piece, 1);
}

ssize_t SocketIo::look_shared_faulty(int fd, const SharedLink& link, size_t size, Bytes& first, Bytes& second) {
  if (hits(faults_.failure_one_in)) shutdown(fd, SHUT_RDWR);
  return link.look(hits(faults_.short_one_in) ? std::min(size, kShortBytes) : size, first, second);
}

ssize_t SocketIo::send_shared_faulty(int fd, SharedLink& link, const iovec* from, size_t count) {
  if (hits(faults_.failure_one_in)) shutdown(fd, SHUT_RDWR);
  if (!hits(faults_.short_one_in)) return link.write(from, count);
  const iovec piece{from->iov_base, std::min(from->iov_len, kShortBytes)};
  return link.write(&piece, 1);
}

bool SocketIo::hits(uint32_t one_in) {
  if (one_in == 0) return false;
  // xorshift64: reproducible from the seed, and good enough to pick calls.
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return (random_ >> 16) % one_in == 0;
}

}  // namespace msgr
