// libzmq as its C interface is used: PUSH to PULL one way, DEALER to DEALER for pings, one I/O thread on each
// end and a high-water mark of 1000 messages as they are by default. A message is u16 type and payload. Small ones are copied by zmq_send; large ones are
// lent to it, as msgr2 does.
//
//     zmq_peer server -                        zmq_peer client - STREAM_ENDPOINT,PING_ENDPOINT
#include <unistd.h>
#include <zmq.h>

#include <atomic>
#include <string>
#include <thread>

#include "harness.h"

using namespace bench;

namespace {

constexpr size_t kPrefix = sizeof(uint16_t);
constexpr size_t kLendBytesMin = 64 << 10;
// What is lent at most: a high-water mark of 1000 messages alone would be a gigabyte at 1 MiB each.
constexpr size_t kLentBytesMax = 16 << 20;

void set_type(uint8_t* message, uint16_t type) { std::memcpy(message, &type, sizeof type); }

uint16_t type_of(zmq_msg_t* message) {
  uint16_t type;
  std::memcpy(&type, zmq_msg_data(message), sizeof type);
  return type;
}

std::string listen(void* socket) {
  check(zmq_bind(socket, "tcp://127.0.0.1:*") == 0, "zmq_bind");
  char endpoint[256];
  size_t size = sizeof endpoint;
  zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size);
  return endpoint;
}

// Counts what comes in on `socket`, and answers pings on it.
void serve(void* socket) {
  zmq_msg_t message;
  zmq_msg_init(&message);
  Counts counts;
  Run run;
  while (zmq_msg_recv(&message, socket, 0) >= 0) {
    const uint16_t type = type_of(&message);
    auto* data = static_cast<uint8_t*>(zmq_msg_data(&message));
    if (type == kData) {
      if (counts.messages == 0) run.restart_clock();
      counts.messages++;
      counts.bytes += zmq_msg_size(&message) - kPrefix;
      counts.first_byte_sum += data[kPrefix];
    } else if (type == kPing) {
      if (counts.pings == 0) run.restart_clock();
      counts.pings++;
      counts.first_byte_sum += data[kPrefix];
      set_type(data, kPong);
      check(zmq_msg_send(&message, socket, 0) >= 0, "zmq_msg_send");
      zmq_msg_init(&message);
    } else if (type == kStart) {
      counts = {};
      run = {};
    } else if (type == kEnd) {
      counts.report(run);
    }
  }
}

// Bytes that libzmq has not given back; it says so on its own thread.
std::atomic<size_t> lent_bytes;

void give_back(void*, void* size) {
  lent_bytes.fetch_sub(reinterpret_cast<size_t>(size));
  lent_bytes.notify_one();
}

void send(void* socket, uint8_t* bytes, size_t size) {
  if (size < kLendBytesMin) {
    check(zmq_send(socket, bytes, size, 0) >= 0, "zmq_send");
    return;
  }
  for (size_t lent = lent_bytes; lent > 0 && lent + size > kLentBytesMax; lent = lent_bytes) lent_bytes.wait(lent);
  lent_bytes.fetch_add(size);
  zmq_msg_t message;
  zmq_msg_init_data(&message, bytes, size, give_back, reinterpret_cast<void*>(size));
  check(zmq_msg_send(&message, socket, 0) >= 0, "zmq_msg_send");
}

void mark(void* socket, uint16_t type) { check(zmq_send(socket, &type, sizeof type, 0) >= 0, "zmq_send"); }

void stream(void* socket, const Task& task) {
  // Lent messages may be read by the I/O thread until the process ends, so their memory is never given back.
  auto& payloads = *new Payloads(task.size, task.rotating, kPrefix);
  for (size_t i = 0; i < payloads.count(); i++) set_type(payloads.next(), kData);
  const size_t burst = burst_count(task.size);
  mark(socket, kStart);
  Run run;
  const auto deadline = task.deadline(run.start());
  uint64_t messages = 0;
  do {
    for (size_t i = 0; i < burst; i++) send(socket, payloads.next(), kPrefix + task.size);
    messages += burst;
  } while (Clock::now() < deadline);
  run.print(messages, 0, 0);
  end_line();
  mark(socket, kEnd);
}

void ping(void* socket, const Task& task) {
  std::vector<uint8_t> payload(kPrefix + task.size, kDataByte);
  set_type(payload.data(), kPing);
  std::vector<Clock::time_point> sent_at(task.depth);
  zmq_msg_t answer;
  zmq_msg_init(&answer);
  mark(socket, kStart);
  RoundTrips times;
  Run run;
  const auto deadline = task.deadline(run.start());
  for (auto& at : sent_at) {
    at = Clock::now();
    zmq_send(socket, payload.data(), payload.size(), 0);
  }
  size_t oldest = 0;
  for (uint32_t under_way = task.depth; under_way > 0;) {
    check(zmq_msg_recv(&answer, socket, 0) >= 0 && type_of(&answer) == kPong, "zmq_msg_recv");
    const auto now = Clock::now();
    times.record(ms_between(sent_at[oldest], now));
    if (now < deadline) {
      sent_at[oldest] = now;
      zmq_send(socket, payload.data(), payload.size(), 0);
    } else {
      under_way--;
    }
    if (++oldest == task.depth) oldest = 0;
  }
  run.print(times.count(), 0, 0);
  times.print();
  end_line();
  mark(socket, kEnd);
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 3) return 2;
  end_with_parent();
  void* context = zmq_ctx_new();
  if (std::strcmp(arguments[1], "server") == 0) {
    void* pull = zmq_socket(context, ZMQ_PULL);
    void* dealer = zmq_socket(context, ZMQ_DEALER);
    const std::string stream_endpoint = listen(pull);
    const std::string ping_endpoint = listen(dealer);
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    std::printf("{\"listening\":\"%s,%s\",\"version\":\"%d.%d.%d\"}\n", stream_endpoint.c_str(),
                ping_endpoint.c_str(), major, minor, patch);
    std::fflush(stdout);
    std::thread pings(serve, dealer);
    serve(pull);
    return 0;
  }
  const std::string endpoints = arguments[3];
  const size_t comma = endpoints.find(',');
  void* push = zmq_socket(context, ZMQ_PUSH);
  void* dealer = zmq_socket(context, ZMQ_DEALER);
  check(zmq_connect(push, endpoints.substr(0, comma).c_str()) == 0, "zmq_connect");
  check(zmq_connect(dealer, endpoints.substr(comma + 1).c_str()) == 0, "zmq_connect");
  Task task;
  while (read_task(task)) {
    if (task.is_throughput) {
      stream(push, task);
    } else {
      ping(dealer, task);
    }
  }
  // Whatever libzmq still holds, the process takes along.
  std::fflush(stdout);
  _exit(0);
}
