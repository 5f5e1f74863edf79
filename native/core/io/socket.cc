#include "core/io/socket.h"

#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

namespace msgr {
namespace {

// Sets options one after the other until one fails; keeps which and why.
class OptionSetter {
 public:
  explicit OptionSetter(int fd) : fd_(fd) {}

  void set(SocketStep step, int level, int name, int value) { set(step, level, name, &value, sizeof value); }

  void set(SocketStep step, int level, int name, const void* value, size_t size) {
    if (!result_.ok()) return;
    if (setsockopt(fd_, level, name, value, static_cast<socklen_t>(size)) != 0) {
      result_.step = step;
      result_.error = errno;
    }
  }

  SocketResult result() const { return result_; }

 private:
  int fd_;
  SocketResult result_;
};

// What a connecting and a listening socket have in common. Buffer sizes come before connect and listen, as
// the window scale is agreed on in the TCP handshake.
void set_common(OptionSetter& setter, const SocketOptions& options, bool ipv6) {
  if (!options.device.empty()) {
    setter.set(SocketStep::kDevice, SOL_SOCKET, SO_BINDTODEVICE, options.device.c_str(),
               options.device.size());
  }
  if (options.type_of_service >= 0) {
    setter.set(SocketStep::kTypeOfService, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_TCLASS : IP_TOS,
               options.type_of_service);
  }
  if (options.busy_poll_us >= 0) {
    setter.set(SocketStep::kBusyPoll, SOL_SOCKET, SO_BUSY_POLL, options.busy_poll_us);
  }
  if (options.receive_buffer_bytes > 0) {
    setter.set(SocketStep::kReceiveBuffer, SOL_SOCKET, SO_RCVBUF, options.receive_buffer_bytes);
  }
  if (options.send_buffer_bytes > 0) {
    setter.set(SocketStep::kSendBuffer, SOL_SOCKET, SO_SNDBUF, options.send_buffer_bytes);
  }
  if (!options.congestion_control.empty()) {
    setter.set(SocketStep::kCongestionControl, IPPROTO_TCP, TCP_CONGESTION,
               options.congestion_control.c_str(), options.congestion_control.size());
  }
}

// What two ends on one host need of the kernel's buffers: their round trip is some microseconds, and what waits
// in more than this has left the caches before it is read. Left alone, the kernel lets both grow to megabytes.
constexpr int kWithinHostBufferBytes = 256 * 1024;
// And of its congestion control: no network is there that could be congested, and what paces for one (BBR) only
// sets timers. Every kernel has this one.
constexpr char kWithinHostCongestionControl[] = "reno";

// A size that was set locks the buffer; unlocked, the kernel fits it to the traffic again (Linux 5.14).
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
constexpr int kSendBufferLock = 1;
constexpr int kReceiveBufferLock = 2;
// Where it cannot be unlocked: as much as the system allows.
constexpr int kStreamBufferBytes = 4 * 1024 * 1024;

void set_buffer(int fd, int name, int bytes) { setsockopt(fd, SOL_SOCKET, name, &bytes, sizeof bytes); }

// From here on the kernel fits a buffer that was kept small.
void unlock_buffer(int fd, int name, int lock, SocketTuning::Buffer& buffer) {
  if (buffer != SocketTuning::Buffer::kSmall) return;
  buffer = SocketTuning::Buffer::kFitted;
  int locks = 0;
  socklen_t size = sizeof locks;
  if (getsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &locks, &size) == 0) {
    locks &= ~lock;
    if (setsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &locks, sizeof locks) == 0) return;
  }
  set_buffer(fd, name, kStreamBufferBytes);
}

// Refusals do not matter: it works without.
SocketTuning tune_within_host(int fd, const SocketAddress& remote, const SocketOptions& options) {
  SocketTuning tuning;
  tuning.within_host = SocketAddress::within_host(SocketAddress::local_of(fd), remote);
  if (!tuning.within_host) return tuning;
  if (options.receive_buffer_bytes <= 0) {
    tuning.receive_buffer = SocketTuning::Buffer::kSmall;
    set_buffer(fd, SO_RCVBUF, kWithinHostBufferBytes);
  }
  if (options.send_buffer_bytes <= 0) {
    tuning.send_buffer = SocketTuning::Buffer::kSmall;
    set_buffer(fd, SO_SNDBUF, kWithinHostBufferBytes);
  }
  if (options.congestion_control.empty()) {
    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kWithinHostCongestionControl,
               sizeof kWithinHostCongestionControl - 1);
  }
  return tuning;
}

SocketResult fail(int fd, SocketStep step, int error) {
  if (fd >= 0) close(fd);
  SocketResult result;
  result.step = step;
  result.error = error;
  return result;
}

}  // namespace

SocketResult open_connection(const SocketAddress& address, const SocketOptions& options) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(fd, SocketStep::kSocket, errno);
  OptionSetter setter(fd);
  set_common(setter, options, address.is_ipv6());
  if (options.no_delay) setter.set(SocketStep::kNoDelay, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.reuse_port) setter.set(SocketStep::kReusePort, SOL_SOCKET, SO_REUSEPORT, 1);
  if (options.bind_address_no_port) {
    setter.set(SocketStep::kBindAddressNoPort, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  }
  if (!setter.result().ok()) return fail(fd, setter.result().step, setter.result().error);
  if (options.local_address.is_set() &&
      bind(fd, options.local_address.data(), options.local_address.size()) != 0) {
    return fail(fd, SocketStep::kBind, errno);
  }
  SocketResult result;
  result.fd = fd;
  if (connect(fd, address.data(), address.size()) != 0) {
    if (errno != EINPROGRESS && errno != EINTR) return fail(fd, SocketStep::kConnect, errno);
    result.in_progress = true;
  }
  result.tuning = tune_within_host(fd, address, options);
  return result;
}

SocketResult open_listener(const SocketAddress& address, const SocketOptions& options) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(fd, SocketStep::kSocket, errno);
  OptionSetter setter(fd);
  set_common(setter, options, address.is_ipv6());
  // A daemon that restarts binds its port again although old connections linger in TIME_WAIT.
  setter.set(SocketStep::kBind, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.is_ipv6()) setter.set(SocketStep::kBind, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (options.reuse_port) setter.set(SocketStep::kReusePort, SOL_SOCKET, SO_REUSEPORT, 1);
  if (!setter.result().ok()) return fail(fd, setter.result().step, setter.result().error);
  if (bind(fd, address.data(), address.size()) != 0) return fail(fd, SocketStep::kBind, errno);
  if (listen(fd, options.backlog) != 0) return fail(fd, SocketStep::kListen, errno);
  SocketResult result;
  result.fd = fd;
  return result;
}

SocketResult configure_accepted(int fd, const SocketOptions& options) {
  OptionSetter setter(fd);
  if (options.no_delay) setter.set(SocketStep::kNoDelay, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.type_of_service >= 0) {
    const bool ipv6 = SocketAddress::local_of(fd).is_ipv6();
    setter.set(SocketStep::kTypeOfService, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_TCLASS : IP_TOS,
               options.type_of_service);
  }
  SocketResult result = setter.result();
  result.tuning = tune_within_host(fd, SocketAddress::remote_of(fd), options);
  result.fd = fd;
  return result;
}

void fit_receive_buffer(int fd, SocketTuning& tuning) {
  unlock_buffer(fd, SO_RCVBUF, kReceiveBufferLock, tuning.receive_buffer);
}

void fit_send_buffer(int fd, SocketTuning& tuning, bool streams) {
  if (streams) {
    unlock_buffer(fd, SO_SNDBUF, kSendBufferLock, tuning.send_buffer);
  } else if (tuning.send_buffer == SocketTuning::Buffer::kFitted) {
    tuning.send_buffer = SocketTuning::Buffer::kSmall;
    set_buffer(fd, SO_SNDBUF, kWithinHostBufferBytes);
  }
}

int take_socket_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

}  // namespace msgr
