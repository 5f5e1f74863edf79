// Blocking TCP over loopback, for the peers that use sockets themselves.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "harness.h"

namespace bench {

inline void set_no_delay(int socket) {
  const int on = 1;
  check(setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
}

// Listens, says where, and waits for the one connection.
inline int accept_one() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  check(listen(listener, 1) == 0, "listen");
  socklen_t length = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  std::printf("{\"listening\":\"%u\"}\n", ntohs(address.sin_port));
  std::fflush(stdout);
  const int peer = accept(listener, nullptr, nullptr);
  check(peer >= 0, "accept");
  close(listener);
  set_no_delay(peer);
  return peer;
}

inline int connect_to(const char* port) {
  const int peer = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
  check(connect(peer, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
  set_no_delay(peer);
  return peer;
}

// `flags` as of recv: MSG_DONTWAIT asks again and again. False when the other end is gone.
inline bool receive_all(int socket, uint8_t* data, size_t size, int flags) {
  while (size > 0) {
    const ssize_t got = recv(socket, data, size, flags);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) return false;
    data += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

inline void send_all(int socket, const uint8_t* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(socket, data, size, MSG_NOSIGNAL);
    check(sent > 0, "send");
    data += sent;
    size -= static_cast<size_t>(sent);
  }
}

}  // namespace bench
