// Addresses of TCP sockets: IPv4 or IPv6, one port, and the IPv6 scope.
//
// A value type without resources. On the way to JavaScript an address is six 32-bit words (AddressWords), so
// that both ends of a socket fit into one event record and no call back into the core is needed.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

namespace msgr {

class SocketAddress {
 public:
  SocketAddress();

  // Answers false when `host` is not a numeric address of `family` (4 or 6). A zone after `%` may be an
  // interface's name or its number. No name is ever looked up: that blocks.
  static bool parse(int family, const char* host, uint16_t port, SocketAddress& address);
  static SocketAddress local_of(int fd);
  static SocketAddress remote_of(int fd);

  int family() const { return storage_.any.sa_family; }
  bool is_ipv6() const { return family() == AF_INET6; }
  bool is_set() const { return family() != AF_UNSPEC; }
  uint16_t port() const;
  // Both ends of a connection with these addresses are on this host: one address, or two of 127.0.0.0/8.
  static bool within_host(const SocketAddress& one, const SocketAddress& other);
  const sockaddr* data() const { return &storage_.any; }
  socklen_t size() const;

  //   word 0     family (4, 6 or 0 for none) in the low, port in the high 16 bits
  //   word 1..4  address bytes in network order; IPv4 in word 1 alone
  //   word 5     IPv6 scope id
  static constexpr size_t kWords = 6;
  void append_words(int32_t* words) const;

 private:
  union {
    sockaddr any;
    sockaddr_in ipv4;
    sockaddr_in6 ipv6;
  } storage_;
};

}  // namespace msgr
