// The W3C trace context of a call: https://www.w3.org/TR/trace-context/. Untrusted: a client's word; only its
// form is looked at, and only what has it goes into logs and records.
#ifndef CAISSON_DISPATCHER_TRACE_CONTEXT_H_
#define CAISSON_DISPATCHER_TRACE_CONTEXT_H_

#include <grpcpp/server_context.h>

#include <string>
#include <string_view>

namespace caisson::dispatcher {

// `text` if it is a traceparent of version 00: lower-case hex digits and dashes, 55 bytes. Otherwise empty:
// what is malformed counts as absent.
std::string TraceparentOf(std::string_view text);

// From the call's metadata; empty where there is none, or more than one.
std::string TraceparentOf(const grpc::CallbackServerContext& context);

// The 32 digits that all spans of a trace share; empty for an empty one.
std::string_view TraceIdOf(std::string_view traceparent);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_TRACE_CONTEXT_H_
