// The system calls of the steady state, and the seam for faults: a test, or an operator who sets
// ms_inject_socket_failures, has one call in N break its connection, or bytes come and go in small pieces.
//
// Threads: one, that of its loop. The random sequence depends on the seed alone.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "core/io/shared_link.h"

namespace msgr {

struct SocketFaults {
  // One call in so many shuts its socket down; 0: none.
  uint32_t failure_one_in = 0;
  // One call in so many moves at most 7 bytes; 0: none.
  uint32_t short_one_in = 0;
  uint64_t seed = 1;
};

class SocketIo {
 public:
  explicit SocketIo(const SocketFaults& faults)
      : faults_(faults),
        armed_(faults.failure_one_in != 0 || faults.short_one_in != 0),
        random_(faults.seed | 1) {}

  // As readv and writev: bytes moved, 0 at the end of the stream, or -errno. Never raises SIGPIPE.
  ssize_t receive(int fd, uint8_t* to, size_t size) {
    return armed_ ? receive_faulty(fd, to, size) : receive_plain(fd, to, size);
  }
  ssize_t send(int fd, const iovec* from, size_t count) {
    return armed_ ? send_faulty(fd, from, count) : send_plain(fd, from, count);
  }
  // The same through the link of the socket's connection; what breaks is the socket.
  ssize_t look_shared(int fd, const SharedLink& link, size_t size, Bytes& first, Bytes& second) {
    return armed_ ? look_shared_faulty(fd, link, size, first, second) : link.look(size, first, second);
  }
  ssize_t send_shared(int fd, SharedLink& link, const iovec* from, size_t count) {
    return armed_ ? send_shared_faulty(fd, link, from, count) : link.write(from, count);
  }

 private:
  static ssize_t receive_plain(int fd, uint8_t* to, size_t size);
  static ssize_t send_plain(int fd, const iovec* from, size_t count);
  ssize_t receive_faulty(int fd, uint8_t* to, size_t size);
  ssize_t send_faulty(int fd, const iovec* from, size_t count);
  ssize_t look_shared_faulty(int fd, const SharedLink& link, size_t size, Bytes& first, Bytes& second);
  ssize_t send_shared_faulty(int fd, SharedLink& link, const iovec* from, size_t count);
  bool hits(uint32_t one_in);

  const SocketFaults faults_;
  const bool armed_;
  uint64_t random_;
};

}  // namespace msgr
