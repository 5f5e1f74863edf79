// Making TCP sockets with the options of a host that has several NICs.
//
// Every function returns a SocketResult: a descriptor that the caller owns, or which step failed with which
// errno, so that the error text can name the option. All sockets are non-blocking and close-on-exec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/io/socket_address.h"

namespace msgr {

// Mirror of SocketOptions in src/transport/socket.ts, where each field is described. A negative number or an
// empty string leaves the system's choice.
struct SocketOptions {
  SocketAddress local_address;
  std::string device;
  bool no_delay = true;
  int type_of_service = -1;
  bool reuse_port = false;
  bool bind_address_no_port = false;
  int busy_poll_us = -1;
  int receive_buffer_bytes = -1;
  int send_buffer_bytes = -1;
  std::string congestion_control;
  int backlog = 512;
};

// The step that failed. The numbers cross the border; src/transport/native/native-errors.ts names them and a
// test compares the two.
enum class SocketStep : int32_t {
  kNone = 0,
  kSocket = 1,
  kDevice = 2,
  kNoDelay = 3,
  kTypeOfService = 4,
  kReusePort = 5,
  kBindAddressNoPort = 6,
  kBusyPoll = 7,
  kReceiveBuffer = 8,
  kSendBuffer = 9,
  kCongestionControl = 10,
  kBind = 11,
  kListen = 12,
  kConnect = 13,
  kReceive = 14,
  kSend = 15,
  kAccept = 16,
};

// What a connected socket is like: whether both ends are on this host, and then, of each buffer whose size nobody
// chose, whether it is kept small.
struct SocketTuning {
  enum class Buffer : uint8_t { kChosen, kSmall, kFitted };

  bool within_host = false;
  Buffer receive_buffer = Buffer::kChosen;
  Buffer send_buffer = Buffer::kChosen;
};

struct SocketResult {
  int fd = -1;
  SocketStep step = SocketStep::kNone;
  int error = 0;  // errno of the step that failed
  bool in_progress = false;
  SocketTuning tuning;

  bool ok() const { return step == SocketStep::kNone; }
};

// Begins to connect; `in_progress` says that the answer comes as EPOLLOUT and SO_ERROR.
SocketResult open_connection(const SocketAddress& address, const SocketOptions& options);
SocketResult open_listener(const SocketAddress& address, const SocketOptions& options);

// Sets on an accepted socket what Linux does not hand down from the listener. Answers the failed step.
SocketResult configure_accepted(int fd, const SocketOptions& options);

// Both have no effect on a buffer whose size was chosen.
//
// Has the kernel fit the receive buffer to a stream, for good: what the peer was promised room for is on its way, and
// where there is none any more the kernel drops it, which the peer finds out 200 ms later.
void fit_receive_buffer(int fd, SocketTuning& tuning);
// Has the kernel fit the send buffer while a stream runs, and keeps it small again afterwards.
void fit_send_buffer(int fd, SocketTuning& tuning, bool streams);

// Takes and clears SO_ERROR.
int take_socket_error(int fd);

}  // namespace msgr
