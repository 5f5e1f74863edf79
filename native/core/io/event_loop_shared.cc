// Links through shared memory beside the sockets of busy sessions within the host (shared_link.h): how they come to
// be, and how they wake the loop. What goes through them goes through event_loop_io.cc, as what sockets carry.
#include <sys/epoll.h>

#include <cerrno>

#include "core/base/clock.h"
#include "core/io/event_loop.h"

namespace msgr {
namespace {

// Each has two mebibytes, and a descriptor.
constexpr uint32_t kLinksMax = 256;
// A connection that has so many transfers in so short a time is busy enough for a link.
constexpr uint32_t kBusyTransfers = 64;
constexpr uint64_t kBusyNs = 100'000'000;

}  // namespace

// The time is taken rarely, and it is told once for each socket.
void EventLoop::note_transfer(Connection& connection) {
  if (connection.transfers++ == 0) connection.transfers_since_ns = monotonic_ns();
  if (connection.transfers < kBusyTransfers) return;
  connection.transfers = 0;
  const bool may_share_ever = connection.tuning.within_host && !connection.link && !connection.told_busy;
  if (!may_share_ever || connection.channel.state() != Channel::State::kSession) return;
  if (monotonic_ns() - connection.transfers_since_ns > kBusyNs) return;
  connection.told_busy = true;
  Record record{};
  record.kind = static_cast<int32_t>(RecordKind::kBusy);
  record.channel = static_cast<int32_t>(connection.channel.id());
  record.generation = static_cast<int32_t>(connection.channel.generation());
  pending_.push_back(record);
}

bool EventLoop::may_share(const Connection* connection) const {
  return connection != nullptr && connection->state == Connection::State::kOpen && connection->tuning.within_host &&
         connection->channel.state() == Channel::State::kSession && !connection->channel.is_secure() &&
         !connection->link && link_count_ < kLinksMax;
}

bool EventLoop::share_invite(uint32_t id, Bytes name) {
  Connection* connection = find(id);
  if (!may_share(connection)) return false;
  connection->link = SharedLink::invite(name);
  if (!connection->link) return false;
  link_count_++;
  return true;
}

bool EventLoop::share_give(uint32_t id, Bytes name, Bytes token) {
  Connection* connection = find(id);
  if (!may_share(connection)) return false;
  connection->link = SharedLink::give(name, token);
  if (!connection->link) return false;
  link_count_++;
  return watch_bell(*connection);
}

bool EventLoop::share_take(uint32_t id, Bytes token) {
  Connection* connection = find(id);
  if (connection == nullptr || !connection->link || connection->link->ready()) return false;
  if (connection->link->take(token)) return watch_bell(*connection);
  drop_link(*connection);
  return false;
}

bool EventLoop::watch_bell(Connection& connection) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = SocketTag{connection.channel.id() | SocketTag::kBellBit, connection.serial}.packed();
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, connection.link->bell_fd(), &event) == 0) return true;
  drop_link(connection);
  return false;
}

void EventLoop::drop_link(Connection& connection) {
  if (!connection.link) return;
  connection.link.reset();
  link_count_--;
  connection.reads_link = false;
  connection.writes_link = false;
  connection.ask_socket = false;
  connection.socket_rest = 0;
}

void EventLoop::share_nothing(uint32_t id) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->reads_link || connection->writes_link || connection->socket_rest > 0) return;
  drop_link(*connection);
}

void EventLoop::share_output(uint32_t id) {
  Connection* connection = find(id);
  if (connection == nullptr || !connection->link || !connection->link->ready()) return;
  connection->socket_rest = connection->channel.bytes_before_next();
  if (connection->socket_rest == 0) start_writing_link(*connection);
  mark_dirty(*connection);
}

void EventLoop::start_writing_link(Connection& connection) {
  connection.writes_link = true;
  connection.write_blocked = false;
  set_interest(connection);
}

void EventLoop::share_input(uint32_t id) {
  Connection* connection = find(id);
  if (connection == nullptr || !connection->link || !connection->link->ready()) return;
  if (!connection->reads_link) linked_.push_back(connection->tag());
  connection->reads_link = true;
  want_read(*connection);
}

// Answers whether any has something.
bool EventLoop::queue_links() {
  bool found = false;
  for (size_t i = 0; i < linked_.size();) {
    Connection* connection = find(linked_[i]);
    if (connection == nullptr) {
      linked_[i] = linked_.back();
      linked_.pop_back();
      continue;
    }
    i++;
    if (!connection->reads() || connection->link->empty()) continue;
    found = true;
    if (!connection->in_readable) connection->budget = static_cast<uint32_t>(limits_.receive_turn_bytes_max);
    queue_read(*connection);
  }
  return found;
}

// Whoever writes from now on rings; what was written before is found here.
void EventLoop::listen_to_links() {
  if (linked_.empty()) return;
  listens_ = true;
  for (const SocketTag& tag : linked_) {
    if (Connection* connection = find(tag)) connection->link->ask_for_bell();
  }
  queue_links();
}

void EventLoop::stop_listening() {
  if (!listens_) return;
  listens_ = false;
  for (const SocketTag& tag : linked_) {
    if (Connection* connection = find(tag)) connection->link->stop_asking_for_bell();
  }
}

// Of what there is to read poll() takes notice itself.
void EventLoop::on_bell(Connection& connection) {
  if (!connection.link) return;
  // Its end says nothing that the socket does not say.
  if (!connection.link->clear_bell()) {
    epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, connection.link->bell_fd(), nullptr);
  }
  if (connection.writes_link && connection.write_blocked) {
    connection.write_blocked = false;
    mark_dirty(connection);
  }
}

// As a read of the socket; what is there belongs at `to`, and is still in the ring.
ssize_t EventLoop::look_at_link(Connection& connection, uint8_t* to, size_t size, LateBytes& late) {
  Bytes first;
  Bytes second;
  ssize_t found = io_.look_shared(connection.fd, *connection.link, size, first, second);
  if (found == -EAGAIN && connection.ask_socket) {
    connection.ask_socket = false;
    const ssize_t on_socket = io_.receive(connection.fd, to, size);
    if (on_socket > 0) return -EPROTO;
    if (on_socket == -EAGAIN) return on_socket;
    // It has ended. What the peer wrote into the link before that may be seen only now.
    found = connection.link->look(size, first, second);
    connection.ask_socket = found > 0;
    if (found == -EAGAIN) return on_socket;
  }
  late = LateBytes(to, first, second);
  return found;
}

// What is still late of the `taken` bytes goes to its place, and the peer may write over them in the ring.
void EventLoop::end_look(Connection& connection, size_t taken, LateBytes& late) {
  late.want_all();
  connection.link->passed(taken);
}

}  // namespace msgr
