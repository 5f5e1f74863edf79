// What a round trip costs when nothing but the kernel stands between two programs: messages of one size back and
// forth over one TCP connection, by blocking reads, or by reads that never wait (`spinning`).
//
//     tcp_peer server blocking|spinning        tcp_peer client blocking|spinning PORT
//
// Before each run the client says how large its messages will be, in eight bytes whose first is 0; size 0 ends it.
#include <cerrno>

#include "harness.h"
#include "socket.h"

using namespace bench;

namespace {

bool spinning;

// False when the other end is gone.
bool receive_all(int socket, uint8_t* data, size_t size) {
  while (size > 0) {
    const ssize_t got = recv(socket, data, size, spinning ? MSG_DONTWAIT : 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) return false;
    data += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

// Between runs nobody spins.
bool receive_size(int socket, uint64_t& size) {
  return recv(socket, &size, sizeof size, MSG_WAITALL) == sizeof size;
}

int serve() {
  const int socket = accept_one();
  uint64_t size;
  while (receive_size(socket, size)) {
    std::vector<uint8_t> message(size);
    Counts counts;
    Run run;
    for (;;) {
      if (!receive_all(socket, message.data(), size)) return 0;
      // The last one of a run.
      if (message[0] == 0) break;
      if (counts.pings == 0) run.restart_clock();
      counts.pings++;
      counts.first_byte_sum += message[0];
      send_all(socket, message.data(), size);
    }
    counts.report(run);
  }
  return 0;
}

int ping(const char* port) {
  const int socket = connect_to(port);
  Task task;
  while (read_task(task)) {
    const uint64_t size = task.size;
    send_all(socket, reinterpret_cast<const uint8_t*>(&size), sizeof size);
    std::vector<uint8_t> message(size, kDataByte);
    RoundTrips times;
    Run run;
    const auto deadline = task.deadline(run.start());
    auto sent_at = Clock::now();
    do {
      send_all(socket, message.data(), size);
      check(receive_all(socket, message.data(), size), "recv");
      const auto now = Clock::now();
      times.record(ms_between(sent_at, now));
      sent_at = now;
    } while (sent_at < deadline);
    run.print(times.count(), 0, 0);
    times.print();
    end_line();
    message[0] = 0;
    send_all(socket, message.data(), size);
  }
  return 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 3) return 2;
  end_with_parent();
  spinning = std::strcmp(arguments[2], "spinning") == 0;
  return std::strcmp(arguments[1], "server") == 0 ? serve() : ping(arguments[3]);
}
