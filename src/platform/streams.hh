// SPDX-License-Identifier: MIT
// The C streams of this process.
#pragma once

namespace mproc::platform {

// Flushes stdout and stderr if something is pending in them.
void FlushStandardStreams();

// Forgets what is pending in the standard streams, which a fork has copied.
void DropStandardStreams();

// Makes the files behind these descriptors the standard output, which is passed on line by line, and the
// standard error, unless that is -1.
void RedirectStreams(int output, int error);

// Makes the open file behind `fd`, or the null device if that is -1, the standard error, if that is a memory
// file now; what was written there is passed on first. So with the standard output if it is the same.
void PassOnStandardError(int fd);

}  // namespace mproc::platform
