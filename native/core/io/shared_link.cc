#include "core/io/shared_link.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace msgr {
namespace {

constexpr size_t kWordsBytes = 4096;
constexpr size_t kDirectionBytes = kWordsBytes + kSharedRingBytes;
static_assert(kSharedMemoryBytes == 2 * kDirectionBytes && sizeof(SharedRingWords) <= kWordsBytes);

// Nothing in it is ever run, and newer kernels want to hear that (Linux 6.3; MFD_NOEXEC_SEAL).
constexpr unsigned kNoExecSeal = 8;
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
// Strangers that may be turned away while the one with the token is looked for.
constexpr int kAcceptsMax = 8;
constexpr int kBacklog = 8;

bool abstract_address(Bytes name, sockaddr_un& address, socklen_t& size) {
  static constexpr char kHex[] = "0123456789abcdef";
  static constexpr char kPrefix[] = "msgr2-";
  constexpr size_t kPrefixBytes = sizeof kPrefix - 1;
  if (name.size() != kSharedNameBytes) return false;
  address = {};
  address.sun_family = AF_UNIX;
  char* to = address.sun_path + 1;
  std::memcpy(to, kPrefix, kPrefixBytes);
  to += kPrefixBytes;
  for (const uint8_t byte : name) {
    *to++ = kHex[byte >> 4];
    *to++ = kHex[byte & 15];
  }
  size = static_cast<socklen_t>(to - reinterpret_cast<char*>(&address));
  return true;
}

int unix_socket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

bool send_descriptor(int socket, Bytes token, int fd) {
  iovec piece{const_cast<uint8_t*>(token.data()), token.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == static_cast<ssize_t>(token.size());
}

// The descriptor that came alone with the token, or -1. Two find room, as the control bytes are aligned; the kernel
// closes what does not fit.
int receive_descriptor(int socket, Bytes token) {
  uint8_t shown[kSharedTokenBytes];
  iovec piece{shown, sizeof shown};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return -1;
  int fds[2] = {-1, -1};
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    std::memcpy(fds, CMSG_DATA(header), std::min(sizeof fds, header->cmsg_len - CMSG_LEN(0)));
  }
  if (got == static_cast<ssize_t>(sizeof shown) && token.size() == sizeof shown &&
      std::memcmp(shown, token.data(), sizeof shown) == 0 && fds[1] < 0) {
    return fds[0];
  }
  for (const int fd : fds) {
    if (fd >= 0) ::close(fd);
  }
  return -1;
}

// Every page: one that the system does not have ends a process that touches it.
bool fill(int memory_fd) { return posix_fallocate(memory_fd, 0, kSharedMemoryBytes) == 0; }

bool has_fixed_size(int memory_fd) {
  struct stat status {};
  const int seals = fcntl(memory_fd, F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && fstat(memory_fd, &status) == 0 &&
         status.st_size == static_cast<off_t>(kSharedMemoryBytes);
}

}  // namespace

SharedLink::~SharedLink() {
  if (listener_ >= 0) ::close(listener_);
  if (bell_ >= 0) ::close(bell_);
  if (memory_ != nullptr) munmap(memory_, kSharedMemoryBytes);
}

std::unique_ptr<SharedLink> SharedLink::invite(Bytes name) {
  sockaddr_un address;
  socklen_t size = 0;
  if (!abstract_address(name, address, size)) return nullptr;
  std::unique_ptr<SharedLink> link(new SharedLink());
  link->listener_ = unix_socket();
  if (link->listener_ < 0 || bind(link->listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(link->listener_, kBacklog) != 0) {
    return nullptr;
  }
  return link;
}

std::unique_ptr<SharedLink> SharedLink::give(Bytes name, Bytes token) {
  sockaddr_un address;
  socklen_t size = 0;
  if (!abstract_address(name, address, size) || token.size() != kSharedTokenBytes) return nullptr;
  std::unique_ptr<SharedLink> link(new SharedLink());
  int memory_fd = -1;
  if (!link->make_memory(memory_fd)) return nullptr;
  link->bell_ = unix_socket();
  // Nothing has to be waited for: who listens need not have accepted.
  const bool given = link->bell_ >= 0 &&
                     connect(link->bell_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     send_descriptor(link->bell_, token, memory_fd);
  ::close(memory_fd);
  return given ? std::move(link) : nullptr;
}

bool SharedLink::make_memory(int& memory_fd) {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  memory_fd = memfd_create("msgr2", kFlags | kNoExecSeal);
  if (memory_fd < 0 && errno == EINVAL) memory_fd = memfd_create("msgr2", kFlags);
  if (memory_fd < 0) return false;
  if (fill(memory_fd) && fcntl(memory_fd, F_ADD_SEALS, kSeals) == 0 && map(memory_fd, true)) return true;
  ::close(memory_fd);
  return false;
}

bool SharedLink::take(Bytes token) {
  if (listener_ < 0) return false;
  for (int i = 0; i < kAcceptsMax && bell_ < 0; i++) {
    const int accepted = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) break;
    const int memory_fd = receive_descriptor(accepted, token);
    if (memory_fd < 0) {
      ::close(accepted);
      continue;
    }
    bell_ = accepted;
    const bool mapped = has_fixed_size(memory_fd) && fill(memory_fd) && map(memory_fd, false);
    ::close(memory_fd);
    if (!mapped) break;
  }
  ::close(listener_);
  listener_ = -1;
  return ready();
}

bool SharedLink::map(int memory_fd, bool is_giver) {
  void* memory = mmap(nullptr, kSharedMemoryBytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
  if (memory == MAP_FAILED) return false;
  memory_ = static_cast<uint8_t*>(memory);
  uint8_t* const out = memory_ + (is_giver ? 0 : kDirectionBytes);
  uint8_t* const in = memory_ + (is_giver ? kDirectionBytes : 0);
  // Fresh pages are zero, and so are these words; whoever comes second must not touch what the first one wrote.
  writer_.emplace(*reinterpret_cast<SharedRingWords*>(out), out + kWordsBytes, kSharedRingBytes);
  reader_.emplace(*reinterpret_cast<SharedRingWords*>(in), in + kWordsBytes, kSharedRingBytes);
  return true;
}

bool SharedLink::clear_bell() {
  // Several rings are as good as one.
  uint8_t rings[64];
  for (;;) {
    const ssize_t got = recv(bell_, rings, sizeof rings, MSG_DONTWAIT);
    if (got > 0) return true;
    if (got == 0) return false;
    if (errno != EINTR) return errno == EAGAIN;
  }
}

// Without room for a ring the bell is full of them.
void SharedLink::ring() {
  const uint8_t one = 1;
  (void)!send(bell_, &one, sizeof one, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void SharedLink::passed(size_t size) {
  reader_->passed(size);
  if (reader_->must_ring()) ring();
}

ssize_t SharedLink::write(const iovec* from, size_t count) {
  const ssize_t moved = writer_->write(from, count);
  if (moved > 0 && writer_->must_ring()) ring();
  return moved;
}

}  // namespace msgr
