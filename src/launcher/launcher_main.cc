// SPDX-License-Identifier: MIT
#include "launcher/launcher_main.hh"

#include "launcher/launcher.hh"
#include "platform/child.hh"
#include "platform/launch.hh"
#include "platform/segment_file.hh"

namespace mproc::launcher {
namespace {

constexpr char kName[] = "mproc-launcher";
constexpr int kFailed = 1;

}  // namespace

int LauncherMain() {
  platform::SettleInBackground(kName);
  bool has_control = platform::SetCloseOnExec(platform::kLaunchedControl);
  bool has_host = platform::SetCloseOnExec(platform::kLaunchedHost);
  if (!has_control) return kFailed;
  auto host_pid = platform::PeerPid(platform::kLaunchedControl);
  if (!host_pid.ok()) return kFailed;
  Launcher launcher(platform::UniqueFd(platform::kLaunchedControl),
                    platform::UniqueFd(has_host ? platform::kLaunchedHost : -1), *host_pid);
  if (!launcher.Init().ok()) return kFailed;
  launcher.Run();
  platform::SweepSegmentFiles();  // of the host, which has ended
  return 0;
}

}  // namespace mproc::launcher
