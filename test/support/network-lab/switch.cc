// An Ethernet switch in user space whose links can be made bad: what tc netem does, on kernels without it, and
// a black hole for large frames besides. Test tool; run inside a network namespace of its own.
//
//     switch INTERFACE…                    joins the interfaces, reads commands from standard input
//     switch --plain INTERFACE             turns off the offloads of a host's interface: frames then cross
//                                          with their checksums made, none larger than the MTU
//
// Commands, one per line; the answer is "ok" or "error …":
//
//     set INTERFACE tx|rx [up|down] [loss P] [delay MS] [jitter MS] [mtu BYTES]
//
// `tx` is what the host at the interface sends, `rx` what it receives. Loss is drawn from a generator that
// MSGR2_SEED seeds; delayed frames of one direction keep their order. Ends with the end of its input.

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kFrameBytesMax = 16 * 1024;  // a jumbo frame of 9000 bytes and its header
constexpr std::size_t kDelayedFramesMax = 65536;   // beyond, frames are lost, as in any switch

struct Direction {
  bool is_up = true;
  double loss = 0;
  int delay_ms = 0;
  int jitter_ms = 0;
  std::size_t frame_bytes_max = kFrameBytesMax;
};

struct Port {
  std::string name;
  int socket = -1;
  Direction tx;  // from the host
  Direction rx;  // to the host
};

struct Frame {
  Clock::time_point due;
  std::string bytes;
};

/** Frames on their way from one port to another, in order. */
struct Path {
  std::deque<Frame> frames;
};

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "switch: " << what << ": " << std::strerror(errno) << "\n";
  std::exit(1);
}

int open_port(const std::string& name) {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
  if (fd < 0) fail("socket");
  const int ignore_outgoing = 1;
  setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &ignore_outgoing, sizeof ignore_outgoing);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(name.c_str()));
  if (address.sll_ifindex == 0) fail(name);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("bind " + name);
  packet_mreq promiscuous{};
  promiscuous.mr_ifindex = address.sll_ifindex;
  promiscuous.mr_type = PACKET_MR_PROMISC;
  setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous);
  return fd;
}

void turn_off_offloads(const std::string& name) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  for (const unsigned command :
       {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM}) {
    ethtool_value value{command, 0};
    ifreq request{};
    std::snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name.c_str());
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (ioctl(fd, SIOCETHTOOL, &request) != 0 && errno != EOPNOTSUPP) fail("ethtool " + name);
  }
  close(fd);
}

class Switch {
 public:
  explicit Switch(const std::vector<std::string>& names) {
    const char* seed = std::getenv("MSGR2_SEED");
    random_.seed(seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10));
    for (const auto& name : names) ports_.push_back({name, open_port(name), {}, {}});
    paths_.resize(ports_.size() * ports_.size());
  }

  void run() {
    std::vector<pollfd> polled(ports_.size() + 1);
    polled[0] = {STDIN_FILENO, POLLIN, 0};
    for (std::size_t i = 0; i < ports_.size(); ++i) polled[i + 1] = {ports_[i].socket, POLLIN, 0};
    std::cout << "ready" << std::endl;
    for (;;) {
      if (poll(polled.data(), polled.size(), timeout_ms()) < 0 && errno != EINTR) fail("poll");
      for (std::size_t i = 0; i < ports_.size(); ++i) {
        if (polled[i + 1].revents != 0) receive(i);
      }
      deliver();
      if (polled[0].revents != 0 && !read_commands()) return;
    }
  }

 private:
  void receive(std::size_t from) {
    static char buffer[kFrameBytesMax + 1];
    for (int count = 0; count < 256; ++count) {
      const ssize_t size = recv(ports_[from].socket, buffer, sizeof buffer, MSG_TRUNC);
      if (size <= 0) return;
      if (static_cast<std::size_t>(size) > kFrameBytesMax) continue;
      const auto length = static_cast<std::size_t>(size);
      if (!passes(ports_[from].tx, length)) continue;
      for (std::size_t to = 0; to < ports_.size(); ++to) {
        if (to != from && passes(ports_[to].rx, length)) enqueue(from, to, {buffer, length});
      }
    }
  }

  bool passes(const Direction& direction, std::size_t length) {
    if (!direction.is_up || length > direction.frame_bytes_max) return false;
    return direction.loss == 0 || std::uniform_real_distribution<>(0, 1)(random_) >= direction.loss;
  }

  void enqueue(std::size_t from, std::size_t to, std::string bytes) {
    auto& frames = paths_[from * ports_.size() + to].frames;
    if (frames.size() >= kDelayedFramesMax) return;
    const int delay = delay_of(ports_[from].tx) + delay_of(ports_[to].rx);
    auto due = Clock::now() + std::chrono::milliseconds(delay);
    if (!frames.empty() && due < frames.back().due) due = frames.back().due;
    frames.push_back({due, std::move(bytes)});
  }

  int delay_of(const Direction& direction) {
    if (direction.jitter_ms == 0) return direction.delay_ms;
    std::uniform_int_distribution<> jitter(-direction.jitter_ms, direction.jitter_ms);
    return std::max(0, direction.delay_ms + jitter(random_));
  }

  void deliver() {
    const auto now = Clock::now();
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      auto& frames = paths_[i].frames;
      while (!frames.empty() && frames.front().due <= now) {
        const auto& bytes = frames.front().bytes;
        // A link that is down at the host's end loses the frame; so does a full queue.
        (void)!send(ports_[i % ports_.size()].socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
        frames.pop_front();
      }
    }
  }

  int timeout_ms() const {
    auto next = Clock::time_point::max();
    for (const auto& path : paths_) {
      if (!path.frames.empty() && path.frames.front().due < next) next = path.frames.front().due;
    }
    if (next == Clock::time_point::max()) return -1;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next - Clock::now()).count();
    return left < 0 ? 0 : static_cast<int>(left) + 1;
  }

  /** False at the end of the input. */
  bool read_commands() {
    char buffer[4096];
    const ssize_t size = read(STDIN_FILENO, buffer, sizeof buffer);
    if (size <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(size));
    for (std::size_t end; (end = input_.find('\n')) != std::string::npos; input_.erase(0, end + 1)) {
      const std::string problem = obey(input_.substr(0, end));
      std::cout << (problem.empty() ? "ok" : "error " + problem) << std::endl;
    }
    return true;
  }

  std::string obey(const std::string& line) {
    std::istringstream words(line);
    std::string verb, name, side, word;
    words >> verb >> name >> side;
    Port* port = nullptr;
    for (auto& candidate : ports_) {
      if (candidate.name == name) port = &candidate;
    }
    if (verb != "set" || port == nullptr || (side != "tx" && side != "rx")) return "no such port: " + line;
    Direction& direction = side == "tx" ? port->tx : port->rx;
    while (words >> word) {
      if (word == "up" || word == "down") {
        direction.is_up = word == "up";
        continue;
      }
      double value = 0;
      if (!(words >> value) || value < 0) return "no value of " + word;
      if (word == "loss") direction.loss = value;
      else if (word == "delay") direction.delay_ms = static_cast<int>(value);
      else if (word == "jitter") direction.jitter_ms = static_cast<int>(value);
      else if (word == "mtu") direction.frame_bytes_max = static_cast<std::size_t>(value) + ETH_HLEN;
      else return "unknown word " + word;
    }
    return "";
  }

  std::vector<Port> ports_;
  std::vector<Path> paths_;  // [from × ports + to]
  std::mt19937_64 random_;
  std::string input_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 2 && arguments[0] == "--plain") {
    turn_off_offloads(arguments[1]);
    return 0;
  }
  if (arguments.size() < 2) {
    std::cerr << "usage: switch INTERFACE INTERFACE… | switch --plain INTERFACE\n";
    return 2;
  }
  Switch(arguments).run();
  return 0;
}
