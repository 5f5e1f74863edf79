// Gives a socket pages instead of copies of the bytes in them. The kernel then copies once, when the peer reads,
// and not into memory of its own before that: on some machines a stream's sender spends a third less by it, on
// others more (page_trial.h; ARCHITECTURE.md, D43 and D51).
//
//      pages ──vmsplice──► pipe ──splice──► socket            what the socket does not take: ──splice──► /dev/null
//
// What the socket took belongs to the peer: it may read those bytes, as they are then, at any time until it
// says that it has them. Who writes there before that shows the peer what it writes.
//
// Threads: one, that of its loop. Two descriptors of a pipe and one of /dev/null, from the first send() on.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>

namespace msgr {

class PagePipe {
 public:
  PagePipe() = default;
  PagePipe(const PagePipe&) = delete;
  PagePipe& operator=(const PagePipe&) = delete;
  ~PagePipe() { close(); }

  // False where send() would not do: the system refuses pipes or splicing, or its process would die of a peer
  // that has gone (splice() raises SIGPIPE, and nothing can be said against it where it is called).
  [[nodiscard]] bool usable();
  // As writev of a non-blocking socket: bytes taken, or -errno. Only while usable(). Answers -EAGAIN, too, where
  // splicing turns out not to be possible, and usable() answers false from then on.
  ssize_t send(int fd, const iovec* pieces, size_t count);

 private:
  [[nodiscard]] bool open();
  void close();
  ssize_t fill(const iovec* pieces, size_t count);
  void drop(size_t size);

  int in_ = -1;
  int out_ = -1;
  int nowhere_ = -1;
  bool refused_ = false;
};

}  // namespace msgr
