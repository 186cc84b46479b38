#include "bench/report.h"

#include <grpcpp/grpcpp.h>

#include <cstdarg>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "bench/goals.h"
#include "bench/statistics.h"

namespace caisson::bench {
namespace {

using Json = nlohmann::ordered_json;

double Micros(int64_t nanos) { return static_cast<double>(nanos) / 1e3; }
double Kib(int64_t bytes) { return static_cast<double>(bytes) / 1024; }

double RatioOf(int64_t value, int64_t base) {
  return Ratio(static_cast<double>(value), static_cast<double>(base));
}

__attribute__((format(printf, 2, 3))) void Line(std::string& text, const char* format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  text += line;
  text += '\n';
}

void AddLatency(std::string& text, const LatencyReport& report) {
  Line(text, "\n%s, one at a time, %d rounds", report.work.c_str(), report.rounds);
  Line(text, "  %-12s %12s %12s", "", "p50 us", "p99 us");
  Line(text, "  %-12s %12.0f %12.0f", "bare process", Micros(report.bare.p50_ns), Micros(report.bare.p99_ns));
  Line(text, "  %-12s %12.0f %12.0f", "whole call", Micros(report.call.p50_ns), Micros(report.call.p99_ns));
  Line(text, "  %-12s %12.2f %12.2f", "ratio", RatioOf(report.call.p50_ns, report.bare.p50_ns),
       RatioOf(report.call.p99_ns, report.bare.p99_ns));
  Line(text, "  %-12s %12.0f %12.0f", "floor", Micros(report.floor.p50_ns), Micros(report.floor.p99_ns));
  for (const Part& peer : report.peers) {
    Line(text, "  %-12s %12.0f %12.0f   ratio %.2f", peer.name.c_str(), Micros(peer.time.p50_ns),
         Micros(peer.time.p99_ns), RatioOf(peer.time.p50_ns, report.bare.p50_ns));
  }
  if (report.gateway.has_value()) {
    Line(text, "  %-12s %12.0f %12.0f   ratio to the call %.2f, adds %.0f us at p50", "by HTTP",
         Micros(report.gateway->p50_ns), Micros(report.gateway->p99_ns),
         RatioOf(report.gateway->p50_ns, report.call.p50_ns),
         Micros(report.gateway->p50_ns - report.call.p50_ns));
  }
  Line(text, "  %-12s %12s %12s %8s", "of the call", "p50 us", "p99 us", "share");
  for (const Part& part : report.parts) {
    Line(text, "    %-10s %12.0f %12.0f %7.1f%%", part.name.c_str(), Micros(part.time.p50_ns),
         Micros(part.time.p99_ns), 100 * part.share);
  }
}

void AddThroughput(std::string& text, const ThroughputReport& report) {
  Line(text, "\n%s, %d clients at once", report.work.c_str(), report.clients);
  Line(text, "  bare process %10.0f runs/s", report.bare_per_second);
  Line(text, "  whole call   %10.0f runs/s", report.calls_per_second);
  Line(text, "  ratio        %10.3f", Ratio(report.calls_per_second, report.bare_per_second));
  Line(text, "  floor        %10.0f runs/s", report.floor_per_second);
}

// A ratio beside a bare process is better when it is small for time, and when it is large for runs a second.
void AddGoals(std::string& text, const std::vector<GoalRow>& rows) {
  Line(text, "\n%-42s %8s %8s %8s  %s", "beside the bare process", "reached", "goal", "floor", "");
  for (const GoalRow& row : rows) {
    Line(text, "  %-40s %8.3f %8.2f %8.3f  %s", row.name.c_str(), row.reached, row.goal, row.limit,
         row.met ? "met" : "missed");
  }
}

void AddCost(std::string& text, const char* name, const ProcessCost& before, const ProcessCost& during,
             int runs) {
  Line(text, "  %-12s %4d %4d %8d %7d %10.0f %10.0f %10.1f %10.1f", name, before.processes, during.processes,
       before.threads, during.threads, Kib(during.rss_bytes), Kib(during.pss_bytes),
       Kib(during.rss_bytes - before.rss_bytes) / runs, Kib(during.pss_bytes - before.pss_bytes) / runs);
}

void AddIdle(std::string& text, const IdleReport& report) {
  Line(text, "\n%d sleeping runs", report.runs);
  Line(text, "  %-12s %9s %16s %10s %10s %10s %10s", "", "processes", "threads", "RSS KiB", "PSS KiB",
       "RSS/run", "PSS/run");
  Line(text, "  %-12s %4s %4s %8s %7s", "", "0", "N", "0", "N");
  AddCost(text, "caissond", report.before.caissond, report.during.caissond, report.runs);
  AddCost(text, "dispatcher", report.before.dispatcher, report.during.dispatcher, report.runs);
  AddCost(text, "sandboxes", report.before.sandboxes, report.during.sandboxes, report.runs);
}

Json ToJson(const Distribution& time) {
  return {{"p50_us", Micros(time.p50_ns)}, {"p99_us", Micros(time.p99_ns)}};
}

Json ToJson(const LatencyReport& report) {
  Json peers = Json::object();
  for (const Part& peer : report.peers) {
    peers[peer.name] = ToJson(peer.time);
    peers[peer.name]["ratio_p50"] = RatioOf(peer.time.p50_ns, report.bare.p50_ns);
  }
  Json parts = Json::object();
  for (const Part& part : report.parts) {
    parts[part.name] = ToJson(part.time);
    parts[part.name]["share"] = part.share;
  }
  const Json gateway = report.gateway.has_value() ? ToJson(*report.gateway) : Json();
  return {{"work", report.work},
          {"rounds", report.rounds},
          {"gateway", gateway},
          {"bare", ToJson(report.bare)},
          {"call", ToJson(report.call)},
          {"floor", ToJson(report.floor)},
          {"peers", peers},
          {"ratio_p50", RatioOf(report.call.p50_ns, report.bare.p50_ns)},
          {"ratio_p99", RatioOf(report.call.p99_ns, report.bare.p99_ns)},
          {"parts", parts}};
}

Json ToJson(const ThroughputReport& report) {
  return {{"work", report.work},
          {"clients", report.clients},
          {"bare_per_second", report.bare_per_second},
          {"calls_per_second", report.calls_per_second},
          {"floor_per_second", report.floor_per_second},
          {"ratio", Ratio(report.calls_per_second, report.bare_per_second)}};
}

Json ToJson(const ProcessCost& cost) {
  return {{"processes", cost.processes},
          {"threads", cost.threads},
          {"rss_bytes", cost.rss_bytes},
          {"pss_bytes", cost.pss_bytes}};
}

Json ToJson(const DaemonCost& cost) {
  return {{"caissond", ToJson(cost.caissond)},
          {"dispatcher", ToJson(cost.dispatcher)},
          {"sandboxes", ToJson(cost.sandboxes)}};
}

}  // namespace

std::string ToText(const Report& report) {
  std::string text;
  Line(text, "%s, %d CPUs, Linux %s, %s", report.host.processor.c_str(), report.host.cpus,
       report.host.kernel.c_str(), report.host.time.c_str());
  Line(text, "caisson %s, at most %u runs at once; load before %s, after %s", report.server.version().c_str(),
       report.server.max_runs(), report.load_before.c_str(), report.load_after.c_str());
  for (const LatencyReport& latency : report.latencies) {
    AddLatency(text, latency);
  }
  for (const ThroughputReport& throughput : report.throughputs) {
    AddThroughput(text, throughput);
  }
  if (const std::vector<GoalRow> goals = JudgeGoals(report); !goals.empty()) {
    AddGoals(text, goals);
  }
  if (report.idle.has_value()) {
    AddIdle(text, *report.idle);
  }
  return text;
}

std::string ToJson(const Report& report) {
  Json json = {{"time", report.host.time},
               {"processor", report.host.processor},
               {"cpus", report.host.cpus},
               {"kernel", report.host.kernel},
               {"load_before", report.load_before},
               {"load_after", report.load_after},
               {"server_version", report.server.version()},
               {"commit", report.commit},
               {"grpc_version", grpc::Version()},
               {"max_runs", report.server.max_runs()},
               {"latency", Json::array()},
               {"throughput", Json::array()}};
  for (const LatencyReport& latency : report.latencies) {
    json["latency"].push_back(ToJson(latency));
  }
  for (const ThroughputReport& throughput : report.throughputs) {
    json["throughput"].push_back(ToJson(throughput));
  }
  json["goals"] = Json::array();
  for (const GoalRow& row : JudgeGoals(report)) {
    json["goals"].push_back({{"name", row.name},
                             {"reached", row.reached},
                             {"goal", row.goal},
                             {"floor", row.limit},
                             {"met", row.met}});
  }
  if (report.idle.has_value()) {
    json["idle"] = {{"runs", report.idle->runs},
                    {"before", ToJson(report.idle->before)},
                    {"during", ToJson(report.idle->during)}};
  }
  return json.dump(2) + "\n";
}

}  // namespace caisson::bench
