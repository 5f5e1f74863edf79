// What the event loop keeps for each channel beside the channel itself: its socket and what is known of it.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <memory>

#include "core/channel/channel.h"
#include "core/io/shared_link.h"
#include "core/io/socket.h"

namespace msgr {

// Names one socket of one channel, or a listener, in epoll and in the loop's queues. The serial tells the
// socket from earlier ones of the same channel, whose events may still lie in a list.
struct SocketTag {
  static constexpr uint32_t kListenerBit = 1u << 31;
  // The bell of a channel's shared link.
  static constexpr uint32_t kBellBit = 1u << 30;
  static constexpr uint32_t kWake = 0xffffffff;

  uint32_t id;
  uint32_t serial;

  bool operator==(const SocketTag&) const = default;

  [[nodiscard]] uint64_t packed() const { return static_cast<uint64_t>(serial) << 32 | id; }
  [[nodiscard]] static SocketTag unpack(uint64_t packed) {
    return {static_cast<uint32_t>(packed), static_cast<uint32_t>(packed >> 32)};
  }
};

struct Connection {
  enum class State : uint8_t { kIdle, kConnecting, kOpen };

  Connection(const ChannelContext& context, ChannelCounters& channel_counters, uint32_t id)
      : channel(context, channel_counters, id), counters(channel_counters) {}

  [[nodiscard]] SocketTag tag() const { return {channel.id(), serial}; }
  [[nodiscard]] bool reads() const { return state == State::kOpen && !paused && channel.wants_input(); }

  Channel channel;
  ChannelCounters& counters;
  int fd = -1;
  uint32_t serial = 0;
  // What epoll was told; 0 with `registered` false: it does not know the socket.
  uint32_t interest = 0;
  // Bytes that this socket may still give in this turn.
  uint32_t budget = 0;
  State state = State::kIdle;
  bool registered = false;
  SocketTuning tuning;
  // By pauseReading(); outlives the socket.
  bool paused = false;
  bool write_blocked = false;
  // The tail may hold an answer to what was asked since: parse it before the socket is read.
  bool tail_first = false;
  bool in_readable = false;
  bool in_touched = false;
  bool in_dirty = false;
  // The loop asks the socket itself, and epoll does not know it meanwhile.
  bool muted = false;
  // Beside the socket, once the peer agreed; what of the stream goes through it, by direction.
  std::unique_ptr<SharedLink> link;
  bool reads_link = false;
  bool writes_link = false;
  // The socket said that it has news, beside a link that is read: its end, most likely.
  bool ask_socket = false;
  // Bytes that still belong on the socket before the link is written to.
  uint64_t socket_rest = 0;
  // See EventLoop::note_transfer.
  uint32_t transfers = 0;
  uint64_t transfers_since_ns = 0;
  bool told_busy = false;
  // Why writing failed. What the peer sent before is still read, then the socket is closed.
  int send_error = 0;
  // The record of the last close, for a channel that adopts this one too late.
  Record last_closed{};
};

struct ListenSocket {
  int fd = -1;
  uint32_t serial = 0;
  SocketOptions options;
};

}  // namespace msgr
