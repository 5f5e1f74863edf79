#include "core/io/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace msgr {

SocketAddress::SocketAddress() { std::memset(&storage_, 0, sizeof storage_); }

bool SocketAddress::parse(int family, const char* host, uint16_t port, SocketAddress& address) {
  address = SocketAddress();
  if (family == 4) {
    if (inet_pton(AF_INET, host, &address.storage_.ipv4.sin_addr) != 1) return false;
    address.storage_.ipv4.sin_family = AF_INET;
    address.storage_.ipv4.sin_port = htons(port);
    return true;
  }
  if (family != 6) return false;
  std::string digits(host);
  const size_t percent = digits.find('%');
  if (percent != std::string::npos) {
    const std::string zone = digits.substr(percent + 1);
    digits.resize(percent);
    unsigned scope = if_nametoindex(zone.c_str());
    if (scope == 0) {
      char* end = nullptr;
      scope = static_cast<unsigned>(std::strtoul(zone.c_str(), &end, 10));
      if (zone.empty() || *end != '\0') return false;
    }
    address.storage_.ipv6.sin6_scope_id = scope;
  }
  if (inet_pton(AF_INET6, digits.c_str(), &address.storage_.ipv6.sin6_addr) != 1) return false;
  address.storage_.ipv6.sin6_family = AF_INET6;
  address.storage_.ipv6.sin6_port = htons(port);
  return true;
}

SocketAddress SocketAddress::local_of(int fd) {
  SocketAddress address;
  socklen_t size = sizeof address.storage_;
  if (getsockname(fd, &address.storage_.any, &size) != 0) return SocketAddress();
  return address;
}

SocketAddress SocketAddress::remote_of(int fd) {
  SocketAddress address;
  socklen_t size = sizeof address.storage_;
  if (getpeername(fd, &address.storage_.any, &size) != 0) return SocketAddress();
  return address;
}

uint16_t SocketAddress::port() const {
  return ntohs(is_ipv6() ? storage_.ipv6.sin6_port : storage_.ipv4.sin_port);
}

bool SocketAddress::within_host(const SocketAddress& one, const SocketAddress& other) {
  if (one.family() != other.family()) return false;
  if (one.is_ipv6()) {
    return std::memcmp(&one.storage_.ipv6.sin6_addr, &other.storage_.ipv6.sin6_addr, sizeof(in6_addr)) == 0;
  }
  const uint32_t host = ntohl(one.storage_.ipv4.sin_addr.s_addr);
  const uint32_t other_host = ntohl(other.storage_.ipv4.sin_addr.s_addr);
  return one.family() == AF_INET &&
         (host == other_host || (host >> 24 == IN_LOOPBACKNET && other_host >> 24 == IN_LOOPBACKNET));
}

socklen_t SocketAddress::size() const { return is_ipv6() ? sizeof storage_.ipv6 : sizeof storage_.ipv4; }

void SocketAddress::append_words(int32_t* words) const {
  std::memset(words, 0, kWords * sizeof words[0]);
  if (family() != AF_INET && family() != AF_INET6) return;
  const uint32_t number = is_ipv6() ? 6 : 4;
  words[0] = static_cast<int32_t>(number | static_cast<uint32_t>(port()) << 16);
  if (is_ipv6()) {
    std::memcpy(words + 1, &storage_.ipv6.sin6_addr, 16);
    words[5] = static_cast<int32_t>(storage_.ipv6.sin6_scope_id);
  } else {
    std::memcpy(words + 1, &storage_.ipv4.sin_addr, 4);
  }
}

}  // namespace msgr
