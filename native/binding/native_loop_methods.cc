// The methods of NativeLoop that JavaScript calls; src/native.ts declares each with its arguments.
#include <cstring>

#include "binding/napi_util.h"
#include "binding/native_loop.h"

namespace msgr {
namespace {

bool read_address(const OptionsObject& object, SocketAddress& address) {
  return SocketAddress::parse(object.integer("family", 0), object.text("host").c_str(),
                              static_cast<uint16_t>(object.integer("port", 0)), address);
}

SocketOptions read_socket_options(napi_env env, napi_value value) {
  const OptionsObject object(env, value);
  SocketOptions options;
  if (napi_value local = object.object("localAddress"); local != nullptr) {
    read_address(OptionsObject(env, local), options.local_address);
  }
  options.device = object.text("device");
  options.no_delay = object.boolean("noDelay", true);
  options.type_of_service = object.integer("typeOfService", -1);
  options.reuse_port = object.boolean("reusePort", false);
  options.bind_address_no_port = object.boolean("bindAddressNoPort", false);
  options.busy_poll_us = object.integer("busyPollUs", -1);
  options.receive_buffer_bytes = object.integer("receiveBufferBytes", -1);
  options.send_buffer_bytes = object.integer("sendBufferBytes", -1);
  options.congestion_control = object.text("congestionControl");
  options.backlog = object.integer("backlog", 512);
  return options;
}

NativeLoopOptions read_loop_options(napi_env env, napi_value value) {
  const OptionsObject object(env, value);
  NativeLoopOptions options;
  const OptionsObject limits(env, object.object("limits"));
  for (const LimitName& limit : kLimitNames) {
    options.limits.*limit.member = static_cast<uint64_t>(limits.number(limit.name, 0));
  }
  options.busy_poll_us = static_cast<uint32_t>(object.integer("busyPollUs", 0));
  options.threads = static_cast<uint32_t>(object.integer("threads", 0));
  options.cpu = object.integer("cpu", -1);
  options.poison = object.boolean("poisonRecycled", false);
  options.faults.failure_one_in = static_cast<uint32_t>(object.integer("injectSocketFailures", 0));
  options.faults.short_one_in = static_cast<uint32_t>(object.integer("injectShortIo", 0));
  options.faults.seed = static_cast<uint64_t>(object.number("injectSeed", 1));
  return options;
}

}  // namespace

template <napi_value (NativeLoop::*method)(const Call&)>
napi_value NativeLoop::invoke(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  void* loop = nullptr;
  if (napi_unwrap(env, call.self(), &loop) != napi_ok || !static_cast<NativeLoop*>(loop)->open_)
    return nullptr;
  return (static_cast<NativeLoop*>(loop)->*method)(call);
}

template <typename Run>
void NativeLoop::command(Run run) {
  submit_messages();
  if (thread_) {
    thread_->post(std::move(run));
  } else {
    run(loop_);
  }
  update_reference();
}

// For commands after which JavaScript reads sequence numbers and gauges and must find them changed.
template <typename Run>
void NativeLoop::command_now(Run run) {
  command(std::move(run));
  if (thread_) thread_->drain();
}

// For questions that the loop answers. What is asked about comes out of `call` before: no Node-API on its thread.
template <typename Run>
napi_value NativeLoop::ask(const Call& call, Run run) {
  bool answer = false;
  command_now([&answer, run](EventLoop& loop) { answer = run(loop); });
  return boolean_value(call.env(), answer);
}

napi_value NativeLoop::define(napi_env env) {
  const auto method = [](const char* name, napi_callback call) {
    return napi_property_descriptor{name,   nullptr, call, nullptr, nullptr, nullptr, napi_default_method,
                                    nullptr};
  };
  const napi_property_descriptor methods[] = {
      method("createChannel", invoke<&NativeLoop::create_channel>),
      method("giveBack", invoke<&NativeLoop::give_back>),
      method("counters", invoke<&NativeLoop::counters>),
      method("connect", invoke<&NativeLoop::connect>),
      method("disconnect", invoke<&NativeLoop::disconnect>),
      method("adopt", invoke<&NativeLoop::adopt>),
      method("destroy", invoke<&NativeLoop::destroy>),
      method("expectBytes", invoke<&NativeLoop::expect_bytes>),
      method("expectFrame", invoke<&NativeLoop::expect_frame>),
      method("sendBytes", invoke<&NativeLoop::send_bytes>),
      method("sendControl", invoke<&NativeLoop::send_control>),
      method("secure", invoke<&NativeLoop::secure>),
      method("startSession", invoke<&NativeLoop::start_session>),
      method("acknowledge", invoke<&NativeLoop::acknowledge>),
      method("resetInSeq", invoke<&NativeLoop::reset_in_seq>),
      method("resetSession", invoke<&NativeLoop::reset_session>),
      method("wantDrained", invoke<&NativeLoop::want_drained>),
      method("pauseReading", invoke<&NativeLoop::pause_reading>),
      method("resumeReading", invoke<&NativeLoop::resume_reading>),
      method("shareInvite", invoke<&NativeLoop::share_invite>),
      method("shareGive", invoke<&NativeLoop::share_give>),
      method("shareTake", invoke<&NativeLoop::share_take>),
      method("shareNothing", invoke<&NativeLoop::share_nothing>),
      method("shareOutput", invoke<&NativeLoop::share_output>),
      method("shareInput", invoke<&NativeLoop::share_input>),
      method("listen", invoke<&NativeLoop::listen>),
      method("closeListener", invoke<&NativeLoop::close_listener>),
      method("nextSlab", invoke<&NativeLoop::next_slab>),
      method("lend", invoke<&NativeLoop::lend>),
      method("flush", invoke<&NativeLoop::flush>),
      method("setReferenced", invoke<&NativeLoop::set_referenced>),
      method("close", invoke<&NativeLoop::close>),
      method("descriptor", invoke<&NativeLoop::descriptor>),
  };
  napi_value constructor = nullptr;
  napi_define_class(env, "NativeLoop", NAPI_AUTO_LENGTH, construct, nullptr, std::size(methods), methods,
                    &constructor);
  return constructor;
}

napi_value NativeLoop::construct(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const NativeLoopOptions options = read_loop_options(env, call.value(0));
  if (options.limits.slab_bytes < 2 * ReceiveBatch::kRoomMin) {
    throw_error(env, "ERR_MSGR_INVALID_ARGUMENT", "limits: slabBytes is too small");
    return nullptr;
  }
  auto* loop = new NativeLoop(env, options);
  const auto finalize = [](napi_env, void* data, void*) {
    auto* finalized = static_cast<NativeLoop*>(data);
    finalized->collected_ = true;
    finalized->delete_if_unused();
  };
  if (napi_wrap(env, call.self(), loop, finalize, nullptr, nullptr) != napi_ok) {
    delete loop;
    return nullptr;
  }
  std::string error;
  napi_value memory = loop->memory_ ? slab_buffer(env, *loop->memory_, loop->layout_.bytes()) : nullptr;
  if (memory == nullptr) {
    throw_error(env, "ERR_MSGR_UNSUPPORTED", "the host allows no ArrayBuffer over native memory");
    return nullptr;
  }
  set_property(env, call.self(), "memory", memory);
  napi_value slabs = nullptr;
  napi_create_array(env, &slabs);
  set_property(env, call.self(), "slabs", slabs);
  if (!loop->open(env, call.value(1), call.value(2), slabs, error)) {
    throw_error(env, "ERR_MSGR_INVALID_ARGUMENT", error);
    return nullptr;
  }
  loop->describe(env, call.self());
  return nullptr;
}

// Properties that tell TypeScript where everything lies.
void NativeLoop::describe(napi_env env, napi_value self) {
  napi_value layout = nullptr;
  napi_create_object(env, &layout);
  const auto set = [&](const char* name, size_t value) {
    set_property(env, layout, name, number_value(env, static_cast<double>(value)));
  };
  set("tables", layout_.tables);
  set("releasesOffset", layout_.releases_offset());
  set("releasesMax", kReleasesPerCall);
  set("sendRecords", kSendRecords);
  set("recordOffset", layout_.record_offset(0));
  set("placeOffset", layout_.place_offset(0));
  set("records", kBatchRecords);
  set("countersPerChunk", ChannelTable::kChunkChannels);
  set_property(env, self, "layout", layout);
}

napi_value NativeLoop::create_channel(const Call& call) {
  const uint32_t id = table_.take();
  if (id == ChannelTable::kNone) {
    throw_error(call.env(), "ERR_MSGR_INVALID_ARGUMENT", "no memory for another channel");
    return nullptr;
  }
  command([id](EventLoop& loop) { loop.create(id); });
  return number_value(call.env(), id);
}

napi_value NativeLoop::give_back(const Call& call) {
  table_.give_back(call.u32(0));
  return nullptr;
}

napi_value NativeLoop::counters(const Call& call) {
  const SlabRef chunk = table_.chunk(call.u32(0));
  if (!chunk) return nullptr;
  return slab_buffer(call.env(), *chunk, ChannelTable::kChunkChannels * sizeof(ChannelCounters));
}

napi_value NativeLoop::connect(const Call& call) {
  const uint32_t id = call.u32(0);
  const uint32_t generation = call.u32(1);
  SocketAddress address;
  if (!read_address(OptionsObject(call.env(), call.value(2)), address)) {
    throw_error(call.env(), "ERR_MSGR_INVALID_ARGUMENT", "not a numeric address");
    return nullptr;
  }
  const SocketOptions options = read_socket_options(call.env(), call.value(3));
  command([=](EventLoop& loop) { loop.connect(id, generation, address, options); });
  return nullptr;
}

napi_value NativeLoop::disconnect(const Call& call) {
  command_now(
      [id = call.u32(0), generation = call.u32(1)](EventLoop& loop) { loop.disconnect(id, generation); });
  return nullptr;
}

napi_value NativeLoop::adopt(const Call& call) {
  command_now([id = call.u32(0), generation = call.u32(1), other = call.u32(2)](EventLoop& loop) {
    loop.adopt(id, generation, other);
  });
  return nullptr;
}

napi_value NativeLoop::destroy(const Call& call) {
  command([id = call.u32(0)](EventLoop& loop) { loop.destroy(id); });
  return nullptr;
}

napi_value NativeLoop::expect_bytes(const Call& call) {
  command([id = call.u32(0), count = call.u32(1)](EventLoop& loop) { loop.expect_bytes(id, count); });
  return nullptr;
}

napi_value NativeLoop::expect_frame(const Call& call) {
  command([id = call.u32(0)](EventLoop& loop) { loop.expect_frame(id); });
  return nullptr;
}

napi_value NativeLoop::send_bytes(const Call& call) {
  const Bytes bytes = call.bytes(1);
  command([id = call.u32(0), copy = std::vector<uint8_t>(bytes.begin(), bytes.end())](EventLoop& loop) {
    loop.send_bytes(id, copy);
  });
  return nullptr;
}

napi_value NativeLoop::send_control(const Call& call) {
  const Bytes payload = call.bytes(2);
  command([id = call.u32(0), tag = static_cast<uint8_t>(call.u32(1)),
           copy = std::vector<uint8_t>(payload.begin(), payload.end())](EventLoop& loop) {
    loop.send_control(id, tag, copy);
  });
  return nullptr;
}

napi_value NativeLoop::secure(const Call& call) {
  StreamSecrets secrets;
  if (!secrets.assign(call.bytes(1), call.bytes(2), call.bytes(3))) {
    throw_error(call.env(), "ERR_MSGR_INVALID_ARGUMENT", "a key has 16 bytes, a nonce 12");
    return nullptr;
  }
  command([id = call.u32(0), secrets](EventLoop& loop) { loop.secure(id, secrets); });
  return nullptr;
}

napi_value NativeLoop::start_session(const Call& call) {
  command(
      [id = call.u32(0), lossless = call.boolean(1)](EventLoop& loop) { loop.start_session(id, lossless); });
  return nullptr;
}

napi_value NativeLoop::acknowledge(const Call& call) {
  command_now([id = call.u32(0), seq = call.u64(1)](EventLoop& loop) { loop.acknowledge(id, seq); });
  return nullptr;
}

napi_value NativeLoop::reset_in_seq(const Call& call) {
  command_now([id = call.u32(0)](EventLoop& loop) { loop.reset_in_seq(id); });
  return nullptr;
}

napi_value NativeLoop::reset_session(const Call& call) {
  command_now([id = call.u32(0)](EventLoop& loop) { loop.reset_session(id); });
  return nullptr;
}

napi_value NativeLoop::want_drained(const Call& call) {
  command([id = call.u32(0)](EventLoop& loop) { loop.want_drained(id); });
  return nullptr;
}

napi_value NativeLoop::pause_reading(const Call& call) {
  command([id = call.u32(0)](EventLoop& loop) { loop.pause_reading(id); });
  return nullptr;
}

napi_value NativeLoop::resume_reading(const Call& call) {
  command([id = call.u32(0)](EventLoop& loop) { loop.resume_reading(id); });
  return nullptr;
}

napi_value NativeLoop::share_invite(const Call& call) {
  return ask(call, [id = call.u32(0), name = call.bytes(1)](EventLoop& loop) { return loop.share_invite(id, name); });
}

napi_value NativeLoop::share_give(const Call& call) {
  return ask(call, [id = call.u32(0), name = call.bytes(1), token = call.bytes(2)](EventLoop& loop) {
    return loop.share_give(id, name, token);
  });
}

napi_value NativeLoop::share_take(const Call& call) {
  return ask(call, [id = call.u32(0), token = call.bytes(1)](EventLoop& loop) { return loop.share_take(id, token); });
}

napi_value NativeLoop::share_nothing(const Call& call) {
  command([id = call.u32(0)](EventLoop& loop) { loop.share_nothing(id); });
  return nullptr;
}

napi_value NativeLoop::share_output(const Call& call) {
  command([id = call.u32(0)](EventLoop& loop) { loop.share_output(id); });
  return nullptr;
}

napi_value NativeLoop::share_input(const Call& call) {
  command([id = call.u32(0)](EventLoop& loop) { loop.share_input(id); });
  return nullptr;
}

// Binds on this thread, as its answer is wanted at once. Answers an Int32Array:
// [listener's number or -1, the failed step, errno, words of the bound address …].
napi_value NativeLoop::listen(const Call& call) {
  int32_t* words = nullptr;
  napi_value buffer = nullptr;
  napi_value answer = nullptr;
  constexpr size_t kCount = 3 + SocketAddress::kWords;
  napi_create_arraybuffer(call.env(), kCount * sizeof(int32_t), reinterpret_cast<void**>(&words), &buffer);
  napi_create_typedarray(call.env(), napi_int32_array, kCount, buffer, 0, &answer);
  SocketAddress address;
  if (!read_address(OptionsObject(call.env(), call.value(0)), address)) {
    throw_error(call.env(), "ERR_MSGR_INVALID_ARGUMENT", "not a numeric address");
    return nullptr;
  }
  const SocketOptions options = read_socket_options(call.env(), call.value(1));
  const SocketResult result = open_listener(address, options);
  words[0] = -1;
  words[1] = static_cast<int32_t>(result.step);
  words[2] = result.error;
  if (!result.ok()) return answer;
  SocketAddress::local_of(result.fd).append_words(words + 3);
  const uint32_t listener = next_listener_++;
  words[0] = static_cast<int32_t>(listener);
  command([=, fd = result.fd](EventLoop& loop) { loop.add_listener(listener, fd, options); });
  return answer;
}

napi_value NativeLoop::close_listener(const Call& call) {
  command_now([listener = call.u32(0)](EventLoop& loop) { loop.remove_listener(listener); });
  return nullptr;
}

napi_value NativeLoop::next_slab(const Call& call) {
  submit_messages();
  napi_value view = send_->next_slab(call.env(), call.u32(0));
  if (view == nullptr)
    throw_error(call.env(), "ERR_MSGR_INVALID_ARGUMENT", "no memory for a message to send");
  return view;
}

napi_value NativeLoop::lend(const Call& call) {
  send_->lend(call.u32(0), call.bytes(1));
  return nullptr;
}

napi_value NativeLoop::flush(const Call&) {
  submit_messages();
  if (!thread_) {
    loop_.flush();
    publish_releases();
    send_->rewind_if_unused();
  }
  return nullptr;
}

napi_value NativeLoop::set_referenced(const Call& call) {
  referenced_ = call.boolean(0);
  update_reference();
  return nullptr;
}

napi_value NativeLoop::close(const Call&) {
  shut_down();
  return nullptr;
}

napi_value NativeLoop::descriptor(const Call& call) {
  int fd = -1;
  if (thread_) {
    thread_->post([&fd, id = call.u32(0)](EventLoop& loop) { fd = loop.descriptor_of(id); });
    thread_->drain();
  } else {
    fd = loop_.descriptor_of(call.u32(0));
  }
  return number_value(call.env(), fd);
}

}  // namespace msgr
