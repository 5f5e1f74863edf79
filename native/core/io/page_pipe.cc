#include "core/io/page_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace msgr {
namespace {

// What unprivileged processes may have (fs.pipe-max-size); a smaller one works too.
constexpr int kPipeBytes = 1024 * 1024;
// Put into the pipe at a time: what the socket does not take is looked up in vain.
constexpr size_t kPartBytes = 256 * 1024;
constexpr size_t kPiecesMax = 64;

// The pieces of one send(), of which a part is taken from the front.
class Pieces {
 public:
  Pieces(const iovec* pieces, size_t count) : count_(std::min(count, kPiecesMax)) {
    std::copy_n(pieces, count_, pieces_);
  }

  [[nodiscard]] bool empty() const { return first_ == count_; }
  // The next `bytes_max` bytes. Answers how many iovecs they are.
  size_t next(iovec* to, size_t bytes_max) const {
    size_t count = 0;
    for (size_t i = first_; i < count_ && bytes_max > 0; i++) {
      to[count] = pieces_[i];
      to[count].iov_len = std::min(to[count].iov_len, bytes_max);
      bytes_max -= to[count++].iov_len;
    }
    return count;
  }
  void took(size_t size) {
    while (size > 0) {
      iovec& piece = pieces_[first_];
      const size_t here = std::min(size, piece.iov_len);
      piece = {static_cast<uint8_t*>(piece.iov_base) + here, piece.iov_len - here};
      size -= here;
      if (piece.iov_len == 0) first_++;
    }
  }

 private:
  iovec pieces_[kPiecesMax];
  size_t first_ = 0;
  size_t count_;
};

void close_descriptor(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

template <typename Call>
ssize_t without_interruption(const Call& call) {
  for (;;) {
    const ssize_t result = call();
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace

bool PagePipe::usable() {
  if (refused_ || (in_ < 0 && !open())) return false;
  struct sigaction action;
  return sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler != SIG_DFL;
}

ssize_t PagePipe::send(int fd, const iovec* pieces, size_t count) {
  Pieces rest(pieces, count);
  ssize_t taken = 0;
  while (!rest.empty()) {
    iovec part[kPiecesMax];
    const ssize_t filled = fill(part, rest.next(part, kPartBytes));
    if (filled <= 0) return taken > 0 ? taken : -EAGAIN;
    for (size_t left = static_cast<size_t>(filled); left > 0;) {
      const ssize_t moved = without_interruption(
          [&] { return splice(out_, nullptr, fd, nullptr, left, SPLICE_F_MOVE | SPLICE_F_NONBLOCK); });
      if (moved <= 0) {
        drop(left);
        if (moved == -EINVAL) refused_ = true;
        if (taken > 0 || moved == 0 || refused_) return taken > 0 ? taken : -EAGAIN;
        return moved;
      }
      left -= static_cast<size_t>(moved);
      taken += moved;
      rest.took(static_cast<size_t>(moved));
    }
  }
  return taken;
}

// Bytes that are in the pipe now.
ssize_t PagePipe::fill(const iovec* pieces, size_t count) {
  const ssize_t filled = without_interruption([&] { return vmsplice(in_, pieces, count, SPLICE_F_NONBLOCK); });
  if (filled < 0) refused_ = true;
  return filled;
}

// Lets go of the pages that are left in the pipe.
void PagePipe::drop(size_t size) {
  while (size > 0) {
    const ssize_t moved = without_interruption(
        [&] { return splice(out_, nullptr, nowhere_, nullptr, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK); });
    if (moved <= 0) {
      // Another pipe, then, as nothing of this one may get into the next stream.
      close();
      return;
    }
    size -= static_cast<size_t>(moved);
  }
}

bool PagePipe::open() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  out_ = ends[0];
  in_ = ends[1];
  nowhere_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere_ < 0) {
    close();
    return false;
  }
  fcntl(in_, F_SETPIPE_SZ, kPipeBytes);
  return true;
}

void PagePipe::close() {
  close_descriptor(in_);
  close_descriptor(out_);
  close_descriptor(nowhere_);
}

}  // namespace msgr
