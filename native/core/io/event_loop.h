// The native event loop: sockets in, batches of records out; frames in, writev out. It owns an epoll
// descriptor and every socket, and never calls back: a driver (the host's loop, or a thread of its own)
// asks it for one step after the other, and delivers what it filled.
//
//      poll()      asks the kernel which sockets are ready; accepts, finishes connects
//      receive()   reads ready sockets into the batch, until it is full or none is left
//      (driver delivers the batch; handlers answer with commands and messages)
//      flush()     writes what waits, one writev after the other
//
// Invariants: one socket takes at most receiveTurnBytesMax bytes per poll(); a batch ends with its slab or
// its table of records, so a turn's memory is bounded however many sockets are ready. An idle connection
// holds its Connection object and nothing else.
// Threads: one at a time. Ownership: sockets, channels and the tails of their streams are the loop's;
// pool, limits, table and releases are its owner's and outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/limits.h"
#include "core/base/slab.h"
#include "core/channel/channel.h"
#include "core/io/channel_table.h"
#include "core/io/connection.h"
#include "core/io/receive_batch.h"
#include "core/io/socket.h"
#include "core/io/socket_io.h"
#include "core/io/stream_watch.h"

namespace msgr {

// Words of ChannelCounters::spare: framed bytes and messages that append() took, ever. What JavaScript has
// written into its send table beyond that is still on the way.
inline constexpr size_t kAcceptedBytes = 0;
inline constexpr size_t kAcceptedCount = 1;

class EventLoop {
 public:
  EventLoop(const Limits& limits, SlabPool& pool, ChannelTable& table, LentReleases& releases,
            const SocketFaults& faults);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  // The descriptor to watch for input; -1 when the system refused one.
  [[nodiscard]] int epoll_fd() const { return epoll_fd_; }
  // Readable (EPOLLIN) makes poll() return; the loop does not read it. For the wake-up of a thread.
  [[nodiscard]] bool watch_wake(int fd);

  // Commands: what src/transport/channel.ts says of each. A number without a channel is ignored, as the
  // command may have crossed the channel's end on its way.

  void create(uint32_t id);
  void connect(uint32_t id, uint32_t generation, const SocketAddress& address, const SocketOptions& options);
  void disconnect(uint32_t id, uint32_t generation);
  void adopt(uint32_t id, uint32_t generation, uint32_t other_id);
  void destroy(uint32_t id);
  void expect_bytes(uint32_t id, uint32_t count);
  void expect_frame(uint32_t id);
  void send_bytes(uint32_t id, Bytes bytes);
  void send_control(uint32_t id, uint8_t tag, Bytes payload);
  void secure(uint32_t id, const StreamSecrets& secrets);
  void start_session(uint32_t id, bool lossless);
  // Answers the bytes of the slab that belong to the message's frame; 0 when there is no such channel, and
  // lent payloads are the caller's to release.
  [[nodiscard]] uint32_t append(uint32_t id, const OutgoingMessage& message);
  // What Channel::append_run says; 0 when there is no such channel.
  [[nodiscard]] uint32_t append_run(uint32_t id, const SendRecord* records, uint32_t count, Slab& slab,
                                    uint32_t offset);
  void acknowledge(uint32_t id, uint64_t seq);
  void reset_in_seq(uint32_t id);
  void reset_session(uint32_t id);
  void want_drained(uint32_t id);
  void pause_reading(uint32_t id);
  void resume_reading(uint32_t id);
  // The steps to a link through shared memory beside the socket of a session within the host, not in secure mode
  // (shared_link.h). False: there is none, and the session goes on as it is.
  [[nodiscard]] bool share_invite(uint32_t id, Bytes name);
  [[nodiscard]] bool share_give(uint32_t id, Bytes name, Bytes token);
  [[nodiscard]] bool share_take(uint32_t id, Bytes token);
  // Gives up what the steps before made, unless the stream goes through it already.
  void share_nothing(uint32_t id);
  // What was sent before, control frames included, is the last that goes on the socket …
  void share_output(uint32_t id);
  // … and what was received before, the last that came from there.
  void share_input(uint32_t id);
  // Takes over a listening descriptor. `listener` is the caller's number for it, below 2^24.
  void add_listener(uint32_t listener, int fd, const SocketOptions& options);
  void remove_listener(uint32_t listener);
  // Closes every descriptor but its own, drops every channel. No record tells of it.
  void close_all();

  // Steps

  // Waits up to `timeout_ms` (0: not at all, -1: for ever). Answers how many sockets were ready.
  int poll(int timeout_ms);
  // Has receive() try the socket that gave input last, whether or not it has any now. False when there is
  // none to try.
  bool queue_latest();
  // To be called before anybody else waits in epoll: it does not tell of a socket that queue_latest() tried twice,
  // nor of a link that nobody asked for its bell. What is there already is pending then.
  void listen();
  // True when the batch is to be delivered before more can be read; then call again.
  [[nodiscard]] bool receive(ReceiveBatch& batch);
  // True when a socket took its share and more waits: call again after the next poll().
  bool flush();
  // Records or bytes wait that the kernel will not announce: do not sleep before receive().
  [[nodiscard]] bool has_pending() const {
    return !pending_.empty() || !readable_.empty() || !touched_.empty();
  }
  [[nodiscard]] bool has_output() const { return !dirty_.empty(); }

  // Sockets and listeners that are open, idle channels not counted.
  [[nodiscard]] uint32_t open_count() const { return open_count_; }
  // Bytes that came from sockets and links, and that went into them, ever: a driver sees by it whether traffic flows.
  [[nodiscard]] uint64_t bytes_received() const { return bytes_received_; }
  [[nodiscard]] uint64_t bytes_sent() const { return bytes_sent_; }
  // Whether what came last came through a link.
  [[nodiscard]] bool latest_by_link() const {
    const Connection* connection = find(latest_);
    return connection != nullptr && connection->reads_link;
  }
  // For tests: the channel, which must exist.
  [[nodiscard]] Channel& channel_of(uint32_t id) { return find(id)->channel; }
  // For tests: the channel's descriptor, or -1.
  [[nodiscard]] int descriptor_of(uint32_t id) const;

 private:
  enum class Progress : uint8_t { kDone, kBatchFull };

  [[nodiscard]] Connection* find(uint32_t id) const;
  [[nodiscard]] Connection* find(const SocketTag& tag) const;
  Connection& make(uint32_t id);
  void attach(Connection& connection, int fd, Connection::State state);
  void detach(Connection& connection);
  void close_socket(Connection& connection);
  void fail(Connection& connection, CloseReason reason, int error, SocketStep step,
            const FrameFault& fault = {});
  void fail_frame(Connection& connection);
  void set_interest(Connection& connection);
  void opened(Connection& connection, RecordKind kind, uint32_t listener);

  void on_event(Connection& connection, uint32_t events);
  void finish_connect(Connection& connection);
  void on_quiet_event(Connection& connection, uint32_t events);
  void accept_all(uint32_t listener);

  void note_taken(Connection& connection, uint64_t bytes, uint64_t count);
  void mute(Connection& connection);
  void unmute();
  void want_read(Connection& connection);
  void queue_read(Connection& connection);
  void mark_dirty(Connection& connection);
  void mark_touched(Connection& connection);

  // Links, in event_loop_shared.cc.
  [[nodiscard]] bool may_share(const Connection* connection) const;
  bool watch_bell(Connection& connection);
  void drop_link(Connection& connection);
  void on_bell(Connection& connection);
  void start_writing_link(Connection& connection);
  bool queue_links();
  void listen_to_links();
  void stop_listening();
  ssize_t look_at_link(Connection& connection, uint8_t* to, size_t size, LateBytes& late);
  void end_look(Connection& connection, size_t taken, LateBytes& late);
  void note_transfer(Connection& connection);

  Progress read(Connection& connection, ReceiveBatch& batch);
  Progress read_large(Connection& connection, ReceiveBatch& batch, bool& again);
  Progress parse(Connection& connection, ReceiveBatch& batch, uint32_t at, uint32_t size, LateBytes& late,
                 bool& again);
  // Takes bytes from the socket; false when there is nothing to go on with (closed, or none there). Those of a link
  // are `late`, and it is to be told when they are in their place.
  bool take_bytes(Connection& connection, uint8_t* to, size_t size, size_t& taken, LateBytes& late);
  [[nodiscard]] bool append_pending(ReceiveBatch& batch);
  bool write(Connection& connection);
  ssize_t send_on_socket(Connection& connection, const iovec* pieces, size_t count, size_t asked);

  const Limits& limits_;
  SlabPool& pool_;
  ChannelTable& table_;
  ChannelContext context_;
  SocketIo io_;
  int epoll_fd_;
  // Given up for a moment when descriptors run out, so that a waiting connection can be turned away.
  int spare_fd_;
  uint32_t next_serial_ = 0;
  uint32_t open_count_ = 0;
  uint64_t bytes_received_ = 0;
  uint64_t bytes_sent_ = 0;

  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<ListenSocket> listeners_;
  // Records of events that happened outside of receive().
  std::vector<Record> pending_;
  // Sockets with input, channels with events that fall due at the end of a turn, and with output. Each
  // holds a connection once; a connection that is gone meanwhile is passed over.
  std::vector<SocketTag> readable_;
  SocketTag latest_{0, 0};
  // The one that queue_latest() tried last.
  SocketTag tried_{0, 0};
  // Whether what is read, and what is written, is a stream.
  StreamWatch reads_;
  StreamWatch writes_;
  // The socket that epoll does not know for now, if it is still there and muted.
  SocketTag muted_{0, 0};
  size_t readable_next_ = 0;
  // The connections that read a link: each poll() looks at all of them, and only who sleeps asks for their bells.
  std::vector<SocketTag> linked_;
  bool listens_ = false;
  uint32_t link_count_ = 0;
  std::vector<uint32_t> touched_;
  std::vector<SocketTag> dirty_;
  std::vector<SocketTag> dirty_now_;
};

}  // namespace msgr
