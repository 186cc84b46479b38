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

EventWriter::EventWriter(bool resumable, const Offsets& from)
    : resumable_(resumable),
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

std::string EventWriter::Write(const v1::RunEvent& event) {
  if (event.has_output()) {
    return WriteOutput(event.output());
  }
  if (event.has_output_file()) {
    return WriteFile(event.output_file());
  }
  std::string out;
  if (event.has_step_finished() || event.has_finished()) {
    out = FlushAll();
  }
  finished_ = event.has_finished();
  const google::protobuf::Message* body = BodyOf(event);
  return out + Event(NameOf(event.event_case()), body == nullptr ? "{}" : MessageJson(*body));
}

std::string EventWriter::Broken(std::string_view problem) { return FlushAll() + Event("error", problem); }

EventWriter::Channel* EventWriter::Find(const v1::Output& output) {
  const auto found = std::find_if(channels_.begin(), channels_.end(), [&](const Channel& channel) {
    return channel.stream == output.stream() && channel.step == output.step();
  });
  return found == channels_.end() ? nullptr : &*found;
}

std::string EventWriter::WriteOutput(const v1::Output& output) {
  Channel* channel = Find(output);
  if (channel == nullptr) {
    return Event("unknown", "{}");  // a step of a newer daemon
  }
  std::string out;
  if (channel->offset + channel->joiner.held_bytes() != output.offset()) {
    // A gap: what was held back is no character then.
    out = OutputEvent(*channel, channel->joiner.Finish());
    channel->offset = output.offset();
  }
  return out + OutputEvent(*channel, channel->joiner.Take(output.data()));
}

std::string EventWriter::OutputEvent(Channel& channel, const TextJoiner::Piece& piece) {
  if (piece.bytes.empty()) {
    return {};
  }
  Json json;
  json["stream"] = v1::Stream_Name(channel.stream);
  json["step"] = channel.step;
  json["offset"] = std::to_string(channel.offset);
  PutBytes(json, piece);
  channel.offset += piece.bytes.size();
  return Event("output", Dump(json));
}

std::string EventWriter::WriteFile(const v1::OutputFile& file) {
  const bool last = file.offset() + file.data().size() >= file.size_bytes();
  const uint64_t offset = file.offset() - std::min<uint64_t>(file_.held_bytes(), file.offset());
  TextJoiner::Piece piece = file_.Take(file.data());
  if (last) {
    const TextJoiner::Piece rest = file_.Finish();
    piece.is_text = piece.is_text && rest.bytes.empty();
    piece.bytes += rest.bytes;
  }
  if (piece.bytes.empty() && !last) {
    return {};
  }
  Json json;
  json["path"] = file.path();
  json["offset"] = std::to_string(offset);
  json["size_bytes"] = std::to_string(file.size_bytes());
  json["executable"] = file.executable();
  PutBytes(json, piece);
  return Event("output_file", Dump(json));
}

std::string EventWriter::FlushAll() {
  std::string out;
  for (Channel& channel : channels_) {
    out += OutputEvent(channel, channel.joiner.Finish());
  }
  return out;
}

Offsets EventWriter::Now() const {
  return {channels_[0].offset, channels_[1].offset, channels_[2].offset, channels_[3].offset};
}

std::string EventWriter::Event(std::string_view name, std::string_view body) {
  ++sequence_;
  std::string out = "event: " + std::string(name) + "\n";
  if (resumable_) {
    out += "id: " + (finished_ ? kLastId : Now().Text()) + "\n";
  }
  // The sequence stands in the data, where scripts look; `body` is an object, whose brace it goes behind.
  CAISSON_CHECK(body.size() >= 2 && body.front() == '{');
  out += "data: {\"sequence\":" + std::to_string(sequence_) + (body == "{}" ? "" : ",");
  out += body.substr(1);
  return out + "\n\n";
}

}  // namespace caisson::gateway
