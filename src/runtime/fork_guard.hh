// SPDX-License-Identifier: MIT
// The guard of platform/fork_guard.hh by the names that the rooms above use.
#pragma once

#include "platform/fork_guard.hh"

namespace mproc::runtime {

using platform::CloseInheritedFds;
using platform::DuplicateGuarded;
using platform::GuardedEnds;
using platform::GuardedFd;
using platform::GuardFd;
using platform::MakeGuardedPipe;
using platform::MakeGuardedSocketPair;
using platform::NoForks;
using platform::StartForkGuard;
using platform::UnguardFd;

}  // namespace mproc::runtime
