#include "cli/admin_client.h"

#include <utility>

#include "cli/channel.h"
#include "cli/pages.h"

namespace caisson::cli {
namespace {

constexpr int32_t kPageSize = 1'000;
constexpr std::chrono::seconds kReloadDeadline{60};

void SetUnaryDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kUnaryDeadline);
}

}  // namespace

AdminClient::AdminClient(const Server& server)
    : address_(server.address), stub_(admin::v1::AdminService::NewStub(MakeChannel(server))) {}

grpc::Status AdminClient::Drain(admin::v1::DrainResponse& response) {
  grpc::ClientContext context;
  SetUnaryDeadline(context);
  return stub_->Drain(&context, admin::v1::DrainRequest(), &response);
}

grpc::Status AdminClient::Resume(admin::v1::ResumeResponse& response) {
  grpc::ClientContext context;
  SetUnaryDeadline(context);
  return stub_->Resume(&context, admin::v1::ResumeRequest(), &response);
}

grpc::Status AdminClient::Reload(admin::v1::ReloadResponse& response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kReloadDeadline);
  return stub_->Reload(&context, admin::v1::ReloadRequest(), &response);
}

grpc::Status AdminClient::ListTenants(admin::v1::ListTenantsResponse& all) {
  admin::v1::ListTenantsRequest first;
  first.set_page_size(kPageSize);
  return ForEachPage<admin::v1::ListTenantsRequest, admin::v1::ListTenantsResponse>(
      first,
      [this](grpc::ClientContext& context, const admin::v1::ListTenantsRequest& request,
             admin::v1::ListTenantsResponse& page) { return stub_->ListTenants(&context, request, &page); },
      [&all](admin::v1::ListTenantsResponse& page) {
        for (admin::v1::Tenant& tenant : *page.mutable_tenants()) {
          *all.add_tenants() = std::move(tenant);
        }
        return page.tenants_size();
      });
}

std::string AdminClient::Explain(const grpc::Status& status) const {
  // Without details it is gRPC's own, which knows no such service there.
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED && status.error_details().empty()) {
    return "no admin service on " + address_ + ": name a listener with the role admin (--socket)";
  }
  return ExplainFailure(address_, status);
}

}  // namespace caisson::cli
