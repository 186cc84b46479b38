#include "gateway/event_json.h"

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "common/status.h"

namespace caisson::gateway {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kCompile[] = "compile";
constexpr char kRun[] = "run";

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

void PutBytes(Json& json, const TextJoiner::Piece& piece) {
  if (piece.is_text) {
    json["text"] = piece.bytes;
  } else {
    json["base64"] = absl::Base64Escape(piece.bytes);
  }
}

const char* NameOf(v1::RunEvent::EventCase event) {
  switch (event) {
    case v1::RunEvent::kQueued:
      return "queued";
    case v1::RunEvent::kAccepted:
      return "accepted";
    case v1::RunEvent::kStarted:
      return "started";
    case v1::RunEvent::kOutput:
      return "output";
    case v1::RunEvent::kDenial:
      return "denial";
    case v1::RunEvent::kStepFinished:
      return "step_finished";
    case v1::RunEvent::kFinished:
      return "finished";
    case v1::RunEvent::kOutputFile:
      return "output_file";
    case v1::RunEvent::EVENT_NOT_SET:
      break;
  }
  return "unknown";  // of a newer daemon
}

const google::protobuf::Message* BodyOf(const v1::RunEvent& event) {
  switch (event.event_case()) {
    case v1::RunEvent::kQueued:
      return &event.queued();
    case v1::RunEvent::kAccepted:
      return &event.accepted();
    case v1::RunEvent::kStarted:
      return &event.started();
    case v1::RunEvent::kDenial:
      return &event.denial();
    case v1::RunEvent::kStepFinished:
      return &event.step_finished();
    case v1::RunEvent::kFinished:
      return &event.finished();
    default:
      return nullptr;
  }
}

std::optional<uint64_t> TakeNumber(std::string_view& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

bool TakeMark(std::string_view& text, char mark) {
  if (text.empty() || text.front() != mark) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string MessageJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  const google::protobuf::LogSilencer quiet;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) {
    return {};
  }
  return text;
}

std::string Offsets::Text() const {
  return std::to_string(compile_stdout) + "-" + std::to_string(compile_stderr) + "." +
         std::to_string(run_stdout) + "-" + std::to_string(run_stderr);
}

std::optional<Offsets> Offsets::Parse(std::string_view text) {
  Offsets offsets;
  const std::array<uint64_t*, 4> places = {&offsets.compile_stdout, &offsets.compile_stderr,
                                           &offsets.run_stdout, &offsets.run_stderr};
  constexpr std::string_view kMarks = "-.-";
  for (size_t i = 0; i < places.size(); ++i) {
    const std::optional<uint64_t> value = TakeNumber(text);
    if (!value || (i < kMarks.size() && !TakeMark(text, kMarks[i]))) {
      return std::nullopt;
    }
    *places.at(i) = *value;
  }
  return text.empty() ? std::optional(offsets) : std::nullopt;
}

std::string Joined(const EventTexts& events) {
  std::string out;
  for (const std::string& event : events) {
    out += event;
  }
  return out;
}

EventWriter::EventWriter(Framing framing, const Offsets& from)
    : framing_(framing),
      channels_{Channel{kCompile, v1::STREAM_STDOUT, {}, from.compile_stdout},
                Channel{kCompile, v1::STREAM_STDERR, {}, from.compile_stderr},
                Channel{kRun, v1::STREAM_STDOUT, {}, from.run_stdout},
                Channel{kRun, v1::STREAM_STDERR, {}, from.run_stderr}} {}

std::string EventWriter::Open(std::string_view request_id) {
  Json json;
  json["schema"] = kEventSchema;
  json["request_id"] = request_id;
  return Event("open", Dump(json));
}

EventTexts EventWriter::Write(const v1::RunEvent& event) {
  EventTexts out;
  if (event.has_output()) {
    WriteOutput(event.output(), out);
    return out;
  }
  if (event.has_output_file()) {
    WriteFile(event.output_file(), out);
    return out;
  }
  if (event.has_step_finished() || event.has_finished()) {
    FlushAll(out);
  }
  finished_ = event.has_finished();
  const google::protobuf::Message* body = BodyOf(event);
  out.push_back(Event(NameOf(event.event_case()), body == nullptr ? "{}" : MessageJson(*body)));
  return out;
}

EventTexts EventWriter::Broken(std::string_view problem) {
  EventTexts out;
  FlushAll(out);
  out.push_back(Event("error", problem));
  return out;
}

EventWriter::Channel* EventWriter::Find(const v1::Output& output) {
  const auto found = std::find_if(channels_.begin(), channels_.end(), [&](const Channel& channel) {
    return channel.stream == output.stream() && channel.step == output.step();
  });
  return found == channels_.end() ? nullptr : &*found;
}

void EventWriter::WriteOutput(const v1::Output& output, EventTexts& out) {
  Channel* channel = Find(output);
  if (channel == nullptr) {
    out.push_back(Event("unknown", "{}"));  // a step of a newer daemon
    return;
  }
  if (channel->offset + channel->joiner.held_bytes() != output.offset()) {
    // A gap: what was held back is no character then.
    OutputEvent(*channel, channel->joiner.Finish(), out);
    channel->offset = output.offset();
  }
  OutputEvent(*channel, channel->joiner.Take(output.data()), out);
}

void EventWriter::OutputEvent(Channel& channel, const TextJoiner::Piece& piece, EventTexts& out) {
  if (piece.bytes.empty()) {
    return;
  }
  Json json;
  json["stream"] = v1::Stream_Name(channel.stream);
  json["step"] = channel.step;
  json["offset"] = std::to_string(channel.offset);
  PutBytes(json, piece);
  channel.offset += piece.bytes.size();
  out.push_back(Event("output", Dump(json)));
}

void EventWriter::WriteFile(const v1::OutputFile& file, EventTexts& out) {
  const bool last = file.offset() + file.data().size() >= file.size_bytes();
  const uint64_t offset = file.offset() - std::min<uint64_t>(file_.held_bytes(), file.offset());
  TextJoiner::Piece piece = file_.Take(file.data());
  if (last) {
    const TextJoiner::Piece rest = file_.Finish();
    piece.is_text = piece.is_text && rest.bytes.empty();
    piece.bytes += rest.bytes;
  }
  if (piece.bytes.empty() && !last) {
    return;
  }
  Json json;
  json["path"] = file.path();
  json["offset"] = std::to_string(offset);
  json["size_bytes"] = std::to_string(file.size_bytes());
  json["executable"] = file.executable();
  PutBytes(json, piece);
  out.push_back(Event("output_file", Dump(json)));
}

void EventWriter::FlushAll(EventTexts& out) {
  for (Channel& channel : channels_) {
    OutputEvent(channel, channel.joiner.Finish(), out);
  }
}

Offsets EventWriter::Now() const {
  return {channels_[0].offset, channels_[1].offset, channels_[2].offset, channels_[3].offset};
}

std::string EventWriter::Event(std::string_view name, std::string_view body) {
  ++sequence_;
  // The sequence stands in the data, where scripts look; `body` is an object, whose brace it goes behind.
  while (!body.empty() && body.back() == '\n') {
    body.remove_suffix(1);
  }
  CAISSON_CHECK(body.size() >= 2 && body.front() == '{');
  std::string data = "{\"sequence\":" + std::to_string(sequence_) + (body == "{}" ? "" : ",");
  data += body.substr(1);
  if (framing_ == Framing::kMessages) {
    return "{\"event\":\"" + std::string(name) + "\",\"data\":" + data + "}";
  }
  std::string out = "event: " + std::string(name) + "\n";
  if (framing_ == Framing::kResumable) {
    out += "id: " + (finished_ ? kLastId : Now().Text()) + "\n";
  }
  return out + "data: " + data + "\n\n";
}

}  // namespace caisson::gateway
