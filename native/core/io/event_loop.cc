// Channels, sockets and commands of the event loop; event_loop_io.cc moves the bytes.
#include "core/io/event_loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

namespace msgr {

EventLoop::EventLoop(const Limits& limits, SlabPool& pool, ChannelTable& table, LentReleases& releases,
                     const SocketFaults& faults)
    : limits_(limits),
      pool_(pool),
      table_(table),
      context_{limits, pool, releases},
      io_(faults),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      spare_fd_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

EventLoop::~EventLoop() {
  close_all();
  if (spare_fd_ >= 0) ::close(spare_fd_);
  if (epoll_fd_ >= 0) ::close(epoll_fd_);
}

bool EventLoop::watch_wake(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = SocketTag{SocketTag::kWake, 0}.packed();
  return epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0;
}

// Channels

Connection* EventLoop::find(uint32_t id) const {
  return id < connections_.size() ? connections_[id].get() : nullptr;
}

Connection* EventLoop::find(const SocketTag& tag) const {
  Connection* connection = find(tag.id);
  return connection != nullptr && connection->serial == tag.serial ? connection : nullptr;
}

Connection& EventLoop::make(uint32_t id) {
  if (id >= connections_.size()) connections_.resize(id + 1);
  connections_[id] = std::make_unique<Connection>(context_, table_.counters(id), id);
  connections_[id]->serial = ++next_serial_;
  return *connections_[id];
}

void EventLoop::create(uint32_t id) { make(id); }

void EventLoop::destroy(uint32_t id) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  close_socket(*connection);
  connections_[id].reset();
  Record record{};
  record.kind = static_cast<int32_t>(RecordKind::kDestroyed);
  record.channel = static_cast<int32_t>(id);
  pending_.push_back(record);
}

void EventLoop::close_all() {
  for (uint32_t listener = 0; listener < listeners_.size(); listener++) remove_listener(listener);
  for (auto& connection : connections_) {
    if (connection) close_socket(*connection);
  }
  connections_.clear();
  pending_.clear();
  readable_.clear();
  readable_next_ = 0;
  touched_.clear();
  dirty_.clear();
  linked_.clear();
}

// Sockets

void EventLoop::attach(Connection& connection, int fd, Connection::State state) {
  connection.fd = fd;
  connection.serial = ++next_serial_;
  connection.state = state;
  connection.registered = false;
  connection.interest = 0;
  connection.write_blocked = state == Connection::State::kConnecting;
  connection.tail_first = false;
  connection.in_readable = false;
  connection.in_dirty = false;
  connection.muted = false;
  connection.send_error = 0;
  connection.transfers = 0;
  connection.told_busy = false;
  open_count_++;
  set_interest(connection);
}

// Forgets the socket without closing it. The new serial makes what the queues say of it void.
void EventLoop::detach(Connection& connection) {
  connection.fd = -1;
  connection.serial = ++next_serial_;
  connection.state = Connection::State::kIdle;
  connection.registered = false;
  connection.interest = 0;
  connection.in_readable = false;
  connection.in_dirty = false;
  drop_link(connection);
  open_count_--;
}

void EventLoop::close_socket(Connection& connection) {
  if (connection.fd >= 0) {
    ::close(connection.fd);
    detach(connection);
  }
  connection.channel.close();
}

void EventLoop::fail(Connection& connection, CloseReason reason, int error, SocketStep step,
                     const FrameFault& fault) {
  close_socket(connection);
  const Channel& channel = connection.channel;
  connection.last_closed = closed_record(channel.id(), channel.generation(), reason, error, fault);
  if (reason == CloseReason::kSystemError) connection.last_closed.tid_low = static_cast<int32_t>(step);
  pending_.push_back(connection.last_closed);
}

void EventLoop::fail_frame(Connection& connection) {
  const FrameFault fault = connection.channel.fault();
  fail(connection, CloseReason::kBadFrame, 0, SocketStep::kNone, fault);
}

// EPOLLIN is taken out only once it is reported in vain, see on_quiet_event(): between two steps of a
// handshake it would be put back at once.
void EventLoop::set_interest(Connection& connection) {
  if (connection.fd < 0) return;
  if (connection.muted) {
    if (connection.reads() && !connection.write_blocked) return;
    connection.muted = false;
  }
  uint32_t wanted = EPOLLRDHUP;
  if (connection.state == Connection::State::kConnecting) {
    wanted = EPOLLOUT;
  } else {
    if ((connection.reads() && !connection.reads_link) || !connection.registered) wanted |= EPOLLIN;
    if (connection.write_blocked && !connection.writes_link) wanted |= EPOLLOUT;
  }
  if (connection.registered && wanted == connection.interest) return;
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = connection.tag().packed();
  const int operation = connection.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (epoll_ctl(epoll_fd_, operation, connection.fd, &event) != 0) {
    fail(connection, CloseReason::kSystemError, errno, SocketStep::kSocket);
    return;
  }
  connection.registered = true;
  connection.interest = wanted;
}

void EventLoop::opened(Connection& connection, RecordKind kind, uint32_t listener) {
  Record record{};
  record.kind = static_cast<int32_t>(kind);
  record.channel = static_cast<int32_t>(connection.channel.id());
  record.generation = static_cast<int32_t>(connection.channel.generation());
  SocketAddress::remote_of(connection.fd).append_words(&record.type_and_priority);
  SocketAddress::local_of(connection.fd).append_words(&record.slab);
  record.data_length = static_cast<int32_t>(listener);
  pending_.push_back(record);
}

// Commands

void EventLoop::connect(uint32_t id, uint32_t generation, const SocketAddress& address,
                        const SocketOptions& options) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  close_socket(*connection);
  connection->channel.set_generation(generation);
  const SocketResult result = open_connection(address, options);
  if (!result.ok()) {
    fail(*connection, CloseReason::kSystemError, result.error, result.step);
    return;
  }
  connection->tuning = result.tuning;
  attach(*connection, result.fd, Connection::State::kConnecting);
}

void EventLoop::disconnect(uint32_t id, uint32_t generation) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  close_socket(*connection);
  connection->channel.set_generation(generation);
}

void EventLoop::adopt(uint32_t id, uint32_t generation, uint32_t other_id) {
  Connection* connection = find(id);
  Connection* other = find(other_id);
  if (connection == nullptr || other == nullptr || connection == other) return;
  close_socket(*connection);
  connection->channel.set_generation(generation);
  if (other->fd < 0) {
    // Its socket failed meanwhile; the news went to the other channel, which nobody listens to any more.
    Record closed = other->last_closed;
    closed.kind = static_cast<int32_t>(RecordKind::kClosed);
    closed.channel = static_cast<int32_t>(id);
    closed.generation = static_cast<int32_t>(generation);
    pending_.push_back(closed);
  } else {
    const int fd = other->fd;
    const bool write_blocked = other->write_blocked;
    epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
    connection->channel.adopt(other->channel);
    connection->tuning = other->tuning;
    detach(*other);
    attach(*connection, fd, Connection::State::kOpen);
    if (connection->fd >= 0) {
      connection->write_blocked = write_blocked;
      connection->tail_first = !connection->channel.tail().empty();
      set_interest(*connection);
      mark_dirty(*connection);
    }
  }
  destroy(other_id);
}

void EventLoop::expect_bytes(uint32_t id, uint32_t count) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->state != Connection::State::kOpen) return;
  connection->channel.expect_bytes(count);
  want_read(*connection);
}

void EventLoop::expect_frame(uint32_t id) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->state != Connection::State::kOpen) return;
  connection->channel.expect_frame();
  want_read(*connection);
}

void EventLoop::send_bytes(uint32_t id, Bytes bytes) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->state != Connection::State::kOpen) return;
  connection->channel.send_bytes(bytes);
  mark_dirty(*connection);
}

void EventLoop::send_control(uint32_t id, uint8_t tag, Bytes payload) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->state != Connection::State::kOpen) return;
  connection->channel.send_control(tag, payload);
  mark_dirty(*connection);
}

void EventLoop::secure(uint32_t id, const StreamSecrets& secrets) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->state != Connection::State::kOpen) return;
  if (!connection->channel.secure(secrets)) fail_frame(*connection);
}

void EventLoop::start_session(uint32_t id, bool lossless) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->state != Connection::State::kOpen) return;
  connection->channel.start_session(lossless, connection->tuning.within_host);
  want_read(*connection);
  mark_dirty(*connection);
}

uint32_t EventLoop::append(uint32_t id, const OutgoingMessage& message) {
  Connection* connection = find(id);
  if (connection == nullptr) return 0;
  const uint32_t slab_size = connection->channel.append(message);
  uint64_t size = slab_size;
  if (message.lent_front != nullptr) size += message.sizes.front;
  if (message.lent_data != nullptr) size += message.sizes.data;
  note_taken(*connection, size, 1);
  return slab_size;
}

uint32_t EventLoop::append_run(uint32_t id, const SendRecord* records, uint32_t count, Slab& slab,
                               uint32_t offset) {
  Connection* connection = find(id);
  if (connection == nullptr) return 0;
  const uint32_t size = connection->channel.append_run(records, count, slab, offset);
  note_taken(*connection, size, count);
  return size;
}

// Last, so that a reader who takes these first counts a message twice for a moment rather than not at all.
void EventLoop::note_taken(Connection& connection, uint64_t bytes, uint64_t count) {
  add(connection.counters.spare[kAcceptedBytes], bytes);
  add(connection.counters.spare[kAcceptedCount], count);
  if (!connection.in_dirty) mark_dirty(connection);
}

void EventLoop::acknowledge(uint32_t id, uint64_t seq) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  connection->channel.acknowledge(seq);
  mark_touched(*connection);
}

void EventLoop::reset_in_seq(uint32_t id) {
  Connection* connection = find(id);
  if (connection != nullptr) connection->channel.reset_in_seq();
}

void EventLoop::reset_session(uint32_t id) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  connection->channel.reset_session();
  mark_touched(*connection);
}

void EventLoop::want_drained(uint32_t id) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  connection->channel.want_drained();
  mark_touched(*connection);
}

void EventLoop::pause_reading(uint32_t id) {
  Connection* connection = find(id);
  if (connection != nullptr) connection->paused = true;
}

void EventLoop::resume_reading(uint32_t id) {
  Connection* connection = find(id);
  if (connection == nullptr || !connection->paused) return;
  connection->paused = false;
  want_read(*connection);
}

void EventLoop::add_listener(uint32_t listener, int fd, const SocketOptions& options) {
  if (listener >= listeners_.size()) listeners_.resize(listener + 1);
  listeners_[listener] = {fd, ++next_serial_, options};
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = SocketTag{listener | SocketTag::kListenerBit, listeners_[listener].serial}.packed();
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event);
  open_count_++;
}

void EventLoop::remove_listener(uint32_t listener) {
  if (listener >= listeners_.size() || listeners_[listener].fd < 0) return;
  ::close(listeners_[listener].fd);
  listeners_[listener].fd = -1;
  open_count_--;
}

int EventLoop::descriptor_of(uint32_t id) const {
  const Connection* connection = find(id);
  return connection == nullptr ? -1 : connection->fd;
}

}  // namespace msgr
