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
// Frames that follow on one another in a slab are one run, so that a thousand of them are put out, counted
// and trimmed as one; of each frame only its end is kept, for a run that is cut in the middle. A frame with
// lent pieces is a run of its own.
//
// Invariants: sequence numbers are consecutive; the cursor may stand inside an entry (a partly written
// frame), and that entry is never trimmed; neighbouring runs in one slab hold one reference on it. rewind()
// puts the cursor back to the front: that is the whole of a replay. In a lossy session an entry leaves as
// soon as it is written.
// Nothing is allocated per frame: the rings double when full. Empty, they are kept for the next burst; very
// large ones are freed at once, any by release_idle_memory().
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/ring.h"
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

  // Finished frames that lie one behind the other from `offset` on, none with lent pieces: the first carries
  // `first_seq`, and `ends` says where each ends in the slab. At least one.
  void push_run(uint64_t first_seq, Slab& slab, uint32_t offset, const uint32_t* ends, uint32_t count);

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
  // Frees the rings if nothing is in them.
  void release_idle_memory();
  // Entries that there is room for.
  [[nodiscard]] size_t ring_capacity() const { return ends_.capacity(); }

  [[nodiscard]] size_t count() const { return ends_.size(); }
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
    size_t entry = 0;
    for (size_t i = 0; i < runs_.size(); i++) {
      const Run& run = runs_[i];
      uint32_t begin = run.begin;
      for (uint32_t frame = 0; frame < run.count; frame++) {
        visit(run.slab->data() + begin, run.lent);
        begin = ends_[entry++];
      }
    }
  }

 private:
  struct Run {
    Slab* slab;
    // Not null: of the run's only frame.
    Lent* lent;
    // Bytes of the slab, and the frames in them.
    uint32_t begin;
    uint32_t end;
    uint32_t count;
  };
  // A place between two frames: `entry` counts them from the front, `run` is the run that the next one is in
  // and `frames` what the run has before it, which at its end may be all of it.
  struct Place {
    size_t entry = 0;
    size_t run = 0;
    uint32_t frames = 0;
  };

  [[nodiscard]] static uint32_t wire_size(const Run& run);
  [[nodiscard]] uint32_t begin_of(const Place& place) const;
  // Bytes on the wire of the first `count` frames of the first run.
  [[nodiscard]] uint32_t size_of_first(uint32_t count) const;
  // How many of the run's frames from `place` on it takes to get to `offset` of the slab or beyond; the run
  // must get there.
  [[nodiscard]] uint32_t frames_until(const Place& place, uint32_t offset) const;
  size_t gather_runs(Place place, uint32_t skip, iovec* to, size_t count_max, size_t bytes_max,
                     size_t& bytes) const;
  void passed(uint32_t frames);
  void drop(size_t count);
  void pop_run();
  void free_rings();

  LentReleases& releases_;
  Ring<Run> runs_;
  // Where each frame ends in its slab.
  Ring<uint32_t> ends_;
  // The entry that is next for the socket, and its bytes that were written.
  Place cursor_;
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
