// The event loop's turn: what is ready, reading, writing.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/io/event_loop.h"

namespace msgr {
namespace {

constexpr int kEventsPerPoll = 256;
// Connections taken from one listener per turn; the others wait in its backlog.
constexpr int kAcceptsPerTurn = 64;
// One system call's worth in each direction: beyond, the cost of the call no longer shows, and the bytes
// would leave the second-level cache before they are looked at.
constexpr size_t kReceiveBytes = 256 * 1024;
constexpr size_t kSendBytes = 512 * 1024;
constexpr size_t kSendPieces = 64;
// What one socket may write before the others have their turn: a reader on the same host can take bytes
// as fast as they are written.
constexpr size_t kSendTurnBytes = 4 * 1024 * 1024;

size_t sum(const iovec* pieces, size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++) bytes += pieces[i].iov_len;
  return bytes;
}

// Leaves the first `bytes_max` bytes of the pieces; answers how many there are.
size_t cut(iovec* pieces, size_t& count, uint64_t bytes_max) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++) {
    pieces[i].iov_len = static_cast<size_t>(std::min<uint64_t>(pieces[i].iov_len, bytes_max - bytes));
    bytes += pieces[i].iov_len;
    if (bytes == bytes_max) count = i + 1;
  }
  return bytes;
}

}  // namespace

// Ready sockets

int EventLoop::poll(int timeout_ms) {
  epoll_event events[kEventsPerPoll];
  if (timeout_ms != 0) listen_to_links();
  const int count = epoll_wait(epoll_fd_, events, kEventsPerPoll, has_pending() ? 0 : timeout_ms);
  stop_listening();
  for (int i = 0; i < count; i++) {
    const SocketTag tag = SocketTag::unpack(events[i].data.u64);
    if (tag.id == SocketTag::kWake) continue;
    if ((tag.id & SocketTag::kListenerBit) != 0) {
      const uint32_t listener = tag.id & ~SocketTag::kListenerBit;
      if (listeners_[listener].fd >= 0 && listeners_[listener].serial == tag.serial) accept_all(listener);
      continue;
    }
    if ((tag.id & SocketTag::kBellBit) != 0) {
      if (Connection* connection = find({tag.id & ~SocketTag::kBellBit, tag.serial})) on_bell(*connection);
      continue;
    }
    if (Connection* connection = find(tag)) on_event(*connection, events[i].events);
  }
  const bool has_more = queue_links();
  return std::max(count, has_more ? 1 : 0);
}

void EventLoop::on_event(Connection& connection, uint32_t events) {
  if (connection.state == Connection::State::kConnecting) {
    finish_connect(connection);
    return;
  }
  if ((events & EPOLLOUT) != 0) {
    connection.write_blocked = false;
    mark_dirty(connection);
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
  connection.ask_socket = connection.reads_link;
  if (connection.reads()) {
    if (!connection.in_readable) connection.budget = static_cast<uint32_t>(limits_.receive_turn_bytes_max);
    queue_read(connection);
  } else {
    on_quiet_event(connection, events);
  }
}

void EventLoop::finish_connect(Connection& connection) {
  const int error = take_socket_error(connection.fd);
  if (error != 0) {
    fail(connection, CloseReason::kSystemError, error, SocketStep::kConnect);
    return;
  }
  connection.state = Connection::State::kOpen;
  connection.write_blocked = false;
  connection.channel.open();
  opened(connection, RecordKind::kOpened, 0);
  set_interest(connection);
}

// Input while nobody wants to read. The peer's close is told at once if no byte stands before it; else the
// bytes have to be asked for first, and the socket leaves epoll until then, as a hang-up cannot be muted.
void EventLoop::on_quiet_event(Connection& connection, uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    uint8_t byte;
    const ssize_t peeked = recv(connection.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    const bool link_is_empty = !connection.reads_link || connection.link->empty();
    const bool read_all = link_is_empty && connection.channel.tail().empty();
    if (peeked <= 0 && read_all) {
      if (peeked == 0) {
        fail(connection, CloseReason::kPeerClosed, 0, SocketStep::kReceive);
      } else {
        fail(connection, CloseReason::kSystemError, errno, SocketStep::kReceive);
      }
      return;
    }
    epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, connection.fd, nullptr);
    connection.registered = false;
    connection.interest = 0;
    return;
  }
  set_interest(connection);
}

void EventLoop::accept_all(uint32_t listener) {
  for (int i = 0; i < kAcceptsPerTurn; i++) {
    const int fd = accept4(listeners_[listener].fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if ((errno == EMFILE || errno == ENFILE) && spare_fd_ >= 0) {
        // Out of descriptors: the connection is turned away, or epoll would report it for ever.
        ::close(spare_fd_);
        const int turned_away = accept4(listeners_[listener].fd, nullptr, nullptr, SOCK_CLOEXEC);
        if (turned_away >= 0) ::close(turned_away);
        spare_fd_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
        continue;
      }
      return;
    }
    const SocketResult result = configure_accepted(fd, listeners_[listener].options);
    const uint32_t id = result.ok() ? table_.take() : ChannelTable::kNone;
    if (id == ChannelTable::kNone) {
      ::close(fd);
      continue;
    }
    Connection& connection = make(id);
    connection.channel.open();
    connection.tuning = result.tuning;
    attach(connection, fd, Connection::State::kOpen);
    if (connection.fd >= 0) opened(connection, RecordKind::kAccepted, listener);
  }
}

// Queues

void EventLoop::want_read(Connection& connection) {
  if (!connection.reads()) return;
  set_interest(connection);
  if (connection.fd < 0) return;
  const bool has_tail = !connection.channel.tail().empty();
  if (has_tail || connection.reads_link) {
    connection.tail_first = has_tail;
    connection.budget = static_cast<uint32_t>(limits_.receive_turn_bytes_max);
    queue_read(connection);
  }
}

void EventLoop::queue_read(Connection& connection) {
  if (connection.in_readable) return;
  connection.in_readable = true;
  readable_.push_back(connection.tag());
}

bool EventLoop::queue_latest() {
  Connection* connection = find(latest_);
  if (connection == nullptr || !connection->reads()) return false;
  const bool may_mute = !connection->muted && !connection->write_blocked && !connection->reads_link;
  if (may_mute && tried_ == latest_) mute(*connection);
  tried_ = latest_;
  if (!connection->in_readable) connection->budget = static_cast<uint32_t>(limits_.receive_turn_bytes_max);
  queue_read(*connection);
  return true;
}

// A driver that asks the same socket again need not be told that it is readable; and telling it would cost the
// peer half a microsecond of each send on the way to the two epolls (ours and the host's).
void EventLoop::mute(Connection& connection) {
  unmute();
  connection.muted = true;
  muted_ = connection.tag();
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, connection.fd, nullptr);
  connection.registered = false;
}

void EventLoop::unmute() {
  Connection* connection = find(muted_);
  if (connection == nullptr || !connection->muted) return;
  connection->muted = false;
  set_interest(*connection);
}

void EventLoop::listen() {
  unmute();
  listen_to_links();
}

void EventLoop::mark_dirty(Connection& connection) {
  if (connection.in_dirty || connection.state != Connection::State::kOpen || connection.write_blocked) return;
  connection.in_dirty = true;
  dirty_.push_back(connection.tag());
}

void EventLoop::mark_touched(Connection& connection) {
  if (connection.in_touched) return;
  connection.in_touched = true;
  touched_.push_back(connection.channel.id());
}

// Reading

bool EventLoop::append_pending(ReceiveBatch& batch) {
  size_t taken = 0;
  while (taken < pending_.size() && !batch.records().full()) batch.records().append(pending_[taken++]);
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(taken));
  return pending_.empty();
}

bool EventLoop::receive(ReceiveBatch& batch) {
  stop_listening();
  if (!append_pending(batch)) return true;
  for (; readable_next_ < readable_.size(); readable_next_++) {
    Connection* connection = find(readable_[readable_next_]);
    if (connection == nullptr) continue;
    if (read(*connection, batch) == Progress::kBatchFull) return true;
    // It may be another object by now, or queued anew; only its own entry is ended here.
    connection = find(readable_[readable_next_]);
    if (connection != nullptr) connection->in_readable = false;
  }
  readable_.clear();
  readable_next_ = 0;
  while (!touched_.empty()) {
    Connection* connection = find(touched_.back());
    if (connection != nullptr) {
      if (!connection->channel.flush_events(batch.records())) return true;
      connection->in_touched = false;
      mark_dirty(*connection);
    }
    touched_.pop_back();
  }
  return !append_pending(batch);
}

bool EventLoop::take_bytes(Connection& connection, uint8_t* to, size_t size, size_t& taken, LateBytes& late) {
  const ssize_t moved =
      connection.reads_link ? look_at_link(connection, to, size, late) : io_.receive(connection.fd, to, size);
  if (moved > 0) {
    taken = static_cast<size_t>(moved);
    bytes_received_ += taken;
    latest_ = connection.tag();
    mark_touched(connection);
    if (!connection.reads_link) {
      note_transfer(connection);
      if (reads_.moves(connection, taken) && connection.channel.bounds_unread()) {
        fit_receive_buffer(connection.fd, connection.tuning);
      }
    }
    connection.budget -= static_cast<uint32_t>(std::min<size_t>(taken, connection.budget));
    return true;
  }
  if (moved == -EAGAIN || moved == -EWOULDBLOCK) {
    if (connection.send_error != 0) {
      fail(connection, CloseReason::kSystemError, connection.send_error, SocketStep::kSend);
    }
  } else if (moved == 0) {
    fail(connection, CloseReason::kPeerClosed, 0, SocketStep::kReceive);
  } else {
    fail(connection, CloseReason::kSystemError, static_cast<int>(-moved), SocketStep::kReceive);
  }
  return false;
}

EventLoop::Progress EventLoop::read(Connection& connection, ReceiveBatch& batch) {
  Channel& channel = connection.channel;
  while (connection.reads()) {
    bool again = false;
    Progress progress;
    if (channel.tail().large()) {
      progress = read_large(connection, batch, again);
    } else {
      const size_t tail_size = channel.tail().size();
      // A tail that is parsed first may be as long as a slab, when the last batch was full of records.
      const size_t wanted = tail_size + (connection.tail_first ? 0 : ReceiveBatch::kRoomMin);
      if (batch.room() < wanted || batch.records().full()) {
        batch.want_room(wanted);
        return Progress::kBatchFull;
      }
      Slab& slab = batch.slab();
      const uint32_t at = slab.used;
      size_t taken = 0;
      size_t asked = 0;
      LateBytes late;
      if (connection.tail_first) {
        connection.tail_first = false;
        mark_touched(connection);
      } else {
        asked = std::min({batch.room() - tail_size, kReceiveBytes, static_cast<size_t>(connection.budget)});
        if (asked == 0) return Progress::kDone;
        if (!take_bytes(connection, slab.data() + at + tail_size, asked, taken, late)) return Progress::kDone;
      }
      channel.tail().move_to(slab.data() + at);
      progress = parse(connection, batch, at, static_cast<uint32_t>(tail_size + taken), late, again);
      // A socket that gave less than was asked for is empty; epoll tells if that was wrong. A link has to be asked.
      if (taken < asked && !connection.reads_link) again = false;
    }
    if (progress == Progress::kBatchFull || !again) return progress;
  }
  return Progress::kDone;
}

EventLoop::Progress EventLoop::read_large(Connection& connection, ReceiveBatch& batch, bool& again) {
  StreamTail& tail = connection.channel.tail();
  connection.tail_first = false;
  while (!tail.room().empty()) {
    const MutableBytes room = tail.room();
    const size_t asked = std::min(room.size(), static_cast<size_t>(connection.budget));
    size_t taken = 0;
    LateBytes late;
    if (asked == 0 || !take_bytes(connection, room.data(), asked, taken, late)) return Progress::kDone;
    if (late.size() > 0) end_look(connection, taken, late);
    tail.filled(taken);
    if (taken < asked && !connection.reads_link) return Progress::kDone;
  }
  if (batch.records().full()) return Progress::kBatchFull;
  const SlabRef frame = tail.take();
  const ReceiveResult result = connection.channel.received(*frame, 0, frame->used, batch.records());
  if (result.status == ReceiveStatus::kFailed) {
    fail_frame(connection);
    return Progress::kDone;
  }
  MSGR_CHECK(result.consumed == frame->used);
  again = true;
  return Progress::kDone;
}

EventLoop::Progress EventLoop::parse(Connection& connection, ReceiveBatch& batch, uint32_t at, uint32_t size,
                                     LateBytes& late, bool& again) {
  Slab& slab = batch.slab();
  const uint32_t records_before = batch.records().count();
  const size_t taken = late.size();
  const ReceiveResult result = taken > 0 ? connection.channel.received(slab, at, size, batch.records(), late)
                                         : connection.channel.received(slab, at, size, batch.records());
  if (taken > 0) end_look(connection, taken, late);
  if (result.status == ReceiveStatus::kFailed) {
    slab.used = at + size;
    fail_frame(connection);
    return Progress::kDone;
  }
  if (!connection.channel.keep_tail(slab, at + result.consumed, size - result.consumed)) {
    slab.used = at + size;
    fail_frame(connection);
    return Progress::kDone;
  }
  // Nothing points there if no record was written.
  if (batch.records().count() != records_before) slab.used = at + result.consumed;
  if (result.status == ReceiveStatus::kBatchFull) {
    connection.tail_first = true;
    return Progress::kBatchFull;
  }
  again = result.status == ReceiveStatus::kNeedMore;
  return Progress::kDone;
}

// Writing

bool EventLoop::flush() {
  bool more = false;
  dirty_now_.swap(dirty_);
  for (const SocketTag& tag : dirty_now_) {
    Connection* connection = find(tag);
    if (connection == nullptr || !connection->in_dirty) continue;
    connection->in_dirty = false;
    if (write(*connection)) {
      mark_dirty(*connection);
      more = true;
    }
  }
  dirty_now_.clear();
  return more;
}

ssize_t EventLoop::send_on_socket(Connection& connection, const iovec* pieces, size_t count, size_t asked) {
  note_transfer(connection);
  const bool streams = writes_.moves(connection, asked) && connection.channel.bounds_unread();
  fit_send_buffer(connection.fd, connection.tuning, streams);
  return io_.send(connection.fd, pieces, count);
}

bool EventLoop::write(Connection& connection) {
  Channel& channel = connection.channel;
  size_t written = 0;
  while (channel.wants_output() && connection.send_error == 0) {
    if (written >= kSendTurnBytes) return true;
    iovec pieces[kSendPieces];
    size_t count = channel.gather(pieces, kSendPieces, kSendBytes);
    if (count == 0) {
      if (!channel.failed()) break;
      fail_frame(connection);
      return false;
    }
    const size_t asked =
        connection.socket_rest > 0 ? cut(pieces, count, connection.socket_rest) : sum(pieces, count);
    const ssize_t moved = connection.writes_link ? io_.send_shared(connection.fd, *connection.link, pieces, count)
                                                 : send_on_socket(connection, pieces, count, asked);
    if (moved < 0 && moved != -EAGAIN && moved != -EWOULDBLOCK) {
      connection.send_error = static_cast<int>(-moved);
      if (connection.reads()) {
        queue_read(connection);
      } else {
        fail(connection, CloseReason::kSystemError, connection.send_error, SocketStep::kSend);
      }
      return false;
    }
    const size_t taken = moved < 0 ? 0 : static_cast<size_t>(moved);
    channel.wrote(taken);
    written += taken;
    bytes_sent_ += taken;
    if (connection.socket_rest > 0) {
      connection.socket_rest -= taken;
      if (connection.socket_rest == 0) start_writing_link(connection);
    }
    if (taken == asked) continue;
    // The reader may have made room meanwhile.
    if (connection.writes_link && !connection.link->wait_for_room()) continue;
    connection.write_blocked = true;
    break;
  }
  if (written > 0) mark_touched(connection);
  set_interest(connection);
  return false;
}

}  // namespace msgr
