// A link between two processes of one host beside their TCP connection: memory that both have, with a ring of bytes
// for each direction (shared_ring.h), and a UNIX socket by which each wakes the other. The stream goes on through it
// where it was on TCP, byte for byte; the connection stays, and its end is the end of the link.
//
//      acceptor                                          connector
//      invite(name)   listens on an abstract UNIX name
//         name and token, over the session ────────────► give(name, token)   makes the memory, hands it over
//      take(token)    has both ends of the link ◄──────── "given", over the session
//
// The name may be seen by everybody on the host; who shows the token was told both over the session. The memory has
// a size that nobody can change (memfd seals), or a peer that cuts it off would end this process. Nothing that the
// peer hands over is ever waited for: its word may be missing, and a call without MSG_DONTWAIT could be held.
// Threads: one, that of its loop.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/base/bytes.h"
#include "core/io/shared_ring.h"

namespace msgr {

// Of each direction; twice the most that is written at once. With half of it a sender at full speed waits for its
// reader again and again (4 KiB: 3.9 instead of 4.7 M messages a second), with twice as much only messages of 64 KiB
// and more gain.
inline constexpr size_t kSharedRingBytes = 1024 * 1024;
// Both rings, and a page for the words of each. Who has another number has another version: nothing is shared then.
inline constexpr size_t kSharedMemoryBytes = 2 * (4096 + kSharedRingBytes);
inline constexpr size_t kSharedNameBytes = 16;
inline constexpr size_t kSharedTokenBytes = 16;

class SharedLink {
 public:
  // Null when the system refused something: the session stays on TCP.
  [[nodiscard]] static std::unique_ptr<SharedLink> invite(Bytes name);
  [[nodiscard]] static std::unique_ptr<SharedLink> give(Bytes name, Bytes token);
  SharedLink(const SharedLink&) = delete;
  SharedLink& operator=(const SharedLink&) = delete;
  ~SharedLink();

  // After invite(). False when nobody who has the token handed over memory that can be used.
  [[nodiscard]] bool take(Bytes token);
  // Both rings are there.
  [[nodiscard]] bool ready() const { return writer_.has_value(); }
  // To be watched for input; then clear_bell() is due.
  [[nodiscard]] int bell_fd() const { return bell_; }
  // False: nobody will ring any more.
  [[nodiscard]] bool clear_bell();

  // As writev: bytes moved, or -errno; never waits. The other side is woken if it waits for that.
  ssize_t write(const iovec* from, size_t count);
  // What a read would give, up to `size` bytes, as it lies there; and that so many of them have been copied.
  ssize_t look(size_t size, Bytes& first, Bytes& second) const { return reader_->look(size, first, second); }
  void passed(size_t size);
  // Asks for the bell; false: there is no need to, try again.
  [[nodiscard]] bool wait_for_room() { return writer_->wait(); }
  // The same for bytes; a look at empty() is to follow.
  void ask_for_bell() { reader_->ask(); }
  void stop_asking_for_bell() { reader_->stop_asking(); }
  [[nodiscard]] bool empty() const { return reader_->empty(); }

 private:
  SharedLink() = default;
  [[nodiscard]] bool make_memory(int& memory_fd);
  [[nodiscard]] bool map(int memory_fd, bool is_giver);
  void ring();

  // Before take().
  int listener_ = -1;
  int bell_ = -1;
  uint8_t* memory_ = nullptr;
  std::optional<SharedRingWriter> writer_;
  std::optional<SharedRingReader> reader_;
};

}  // namespace msgr
