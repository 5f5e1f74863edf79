// Messages that wait for the socket, or for the peer's acknowledgement: finished frames in send slabs.
//
//      front                    cursor                     back
//        │ written, not acked     │ waits for the socket      │
//        ▼                        ▼                           ▼
//      ┌────┬────┬────┬────┬────┬────┬────┬────┬────┬────┬────┐
//      │ 41 │ 42 │ 43 │ 44 │ 45 │ 46 │ 47 │ …                 │   entry n carries seq first_seq + n
//      └────┴────┴────┴────┴────┴────┴────┴────┴────┴────┴────┘
//   acknowledge() trims ──►       ──► wrote() moves
//
// Invariants: sequence numbers are consecutive; the cursor may stand inside an entry (a partly written
// frame), and that entry is never trimmed; a run of neighbouring entries in one slab holds one reference
// on it. rewind() puts the cursor back to the front: that is the whole of a replay. In a lossy session an
// entry leaves as soon as it is written.
// Nothing is allocated per frame: the ring of entries doubles when full. Empty, it is kept for the next
// burst; a very large one is freed at once, any by release_idle_memory().
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/slab.h"

namespace msgr {

// Tokens of lent payloads that are no longer needed; the owner of the payloads drains it on its thread.
using LentReleases = std::vector<uint64_t>;

// Bytes outside of the slab that belong into a frame.
struct LentPiece {
  const uint8_t* data;
  uint32_t size;
  // Bytes of the frame's part in the slab that go before it.
  uint32_t at;
};

// At most front and data of one message. Token 0 means that nobody waits for the release.
struct Lent {
  LentPiece pieces[2];
  uint32_t count;
  uint64_t tokens[2];
  // pieces[0] is the front; else it is the data.
  bool has_front = false;

  [[nodiscard]] const uint8_t* front() const { return has_front ? pieces[0].data : nullptr; }
  [[nodiscard]] const uint8_t* data() const {
    const uint32_t index = has_front ? 1 : 0;
    return index < count ? pieces[index].data : nullptr;
  }
};

class Outbox {
 public:
  // `releases` gets the tokens of lent payloads as their entries leave; it must outlive the outbox.
  explicit Outbox(LentReleases& releases) : releases_(releases) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox();

  // A finished frame: `slab_size` bytes at `offset`, and what is lent. The first push into an empty
  // outbox sets where the sequence numbers begin; each further must be one more.
  void push(uint64_t seq, Slab& slab, uint32_t offset, uint32_t slab_size, const Lent* lent = nullptr);

  // What waits for the socket, from the cursor on, as iovecs: at most `count_max`, and no more once
  // `bytes_max` are reached. Neighbouring frames in one slab are one iovec. Adds the bytes to `bytes`.
  // `skip_partial`: not the entry that the cursor stands inside, as gather_partial() gave its rest.
  [[nodiscard]] size_t gather(iovec* to, size_t count_max, size_t bytes_max, size_t& bytes,
                              bool skip_partial = false) const;
  // Only the rest of the entry that the cursor stands inside; nothing when it stands between two.
  [[nodiscard]] size_t gather_partial(iovec* to, size_t count_max, size_t& bytes) const;
  // The socket took `size` bytes of what gather() gave. Answers how many entries were finished by them.
  size_t wrote(size_t size);
  // Drops finished entries as the cursor passes them (lossy sessions), or keeps them for the ack.
  void set_keep_written(bool keep);

  // Drops entries up to and including `seq`, as far as they were ever written whole; an entry that is
  // partly written on this socket stays. Answers how many were dropped.
  size_t acknowledge(uint64_t seq);
  // A new socket: everything is to be written again, from the first byte of the first entry.
  void rewind();
  // Drops everything, releases the lent. Forgets what was ever written.
  void clear();
  // Frees the ring if nothing is in it.
  void release_idle_memory();
  // Entries that the ring has room for.
  [[nodiscard]] size_t ring_capacity() const { return capacity_; }

  [[nodiscard]] size_t count() const { return count_; }
  // Bytes on the wire of all entries, and of those the part that still waits for this socket.
  [[nodiscard]] uint64_t bytes() const { return bytes_; }
  [[nodiscard]] uint64_t waiting_bytes() const { return bytes_ - written_bytes_; }
  // Bytes of the frame at the cursor that are not yet written; 0 when the cursor is between frames.
  [[nodiscard]] uint32_t partial_rest() const;
  // Sequence number of the first entry; only when there is one.
  [[nodiscard]] uint64_t first_seq() const { return first_seq_; }
  // The last that was ever written whole, on this socket or one before; 0: none.
  [[nodiscard]] uint64_t written_seq() const { return written_seq_; }
  // Of the entries finished by wrote() since rewind(): those that had been written whole before.
  [[nodiscard]] uint64_t replayed_count() const { return replayed_count_; }

  // Calls `visit(uint8_t* frame, const Lent* lent)` with the slab bytes of each entry and what is lent to it,
  // which may be null.
  template <typename Visit>
  void for_each_frame(Visit visit) {
    for (size_t i = 0; i < count_; i++) visit(at(i).slab->data() + at(i).offset, at(i).lent);
  }

 private:
  struct Entry {
    Slab* slab;
    Lent* lent;
    uint32_t offset;
    uint32_t slab_size;
  };
  [[nodiscard]] Entry& at(size_t index) const { return entries_[(head_ + index) & (capacity_ - 1)]; }
  [[nodiscard]] static uint32_t wire_size(const Entry& entry);
  // Entries from `index` on, of the first one without `skip` bytes, until one of the limits is reached.
  size_t gather_entries(size_t index, size_t end, uint32_t skip, iovec* to, size_t count_max,
                        size_t bytes_max, size_t& bytes) const;
  void grow();
  void free_ring();
  void pop_front();

  LentReleases& releases_;
  Entry* entries_ = nullptr;
  size_t capacity_ = 0;
  size_t head_ = 0;
  size_t count_ = 0;
  // The entry that is next for the socket, counted from the front, and its bytes that were written.
  size_t cursor_ = 0;
  uint32_t cursor_offset_ = 0;
  uint64_t first_seq_ = 0;
  uint64_t written_seq_ = 0;
  uint64_t bytes_ = 0;
  // Of entries before the cursor, and cursor_offset_.
  uint64_t written_bytes_ = 0;
  uint64_t replayed_count_ = 0;
  bool keep_written_ = true;
  std::vector<Lent*> free_lents_;
};

}  // namespace msgr
