// SPDX-License-Identifier: MIT
#include "platform/streams.hh"

#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <initializer_list>

#include "platform/fd.hh"

namespace mproc::platform {

void FlushStandardStreams() {
  if (__fpending(stdout)) fflush(stdout);
  if (__fpending(stderr)) fflush(stderr);
}

void DropStandardStreams() {
  for (FILE* stream : {stdin, stdout, stderr}) __fpurge(stream);
}

void RedirectStreams(int output, int error) {
  FlushStandardStreams();
  dup2(output, STDOUT_FILENO);
  if (error >= 0) dup2(error, STDERR_FILENO);
  setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
}

void PassOnStandardError(int fd) {
  FlushStandardStreams();
  if (fcntl(STDERR_FILENO, F_GET_SEALS) < 0) return;  // the program has made something else of it
  UniqueFd null;
  if (fd < 0) {
    auto opened = OpenNull();
    if (!opened.ok()) return;
    null = std::move(*opened);
    fd = null.get();
  }
  struct stat error {
  }, output{};
  bool same = fstat(STDERR_FILENO, &error) == 0 && fstat(STDOUT_FILENO, &output) == 0 &&
              error.st_dev == output.st_dev && error.st_ino == output.st_ino;
  char bytes[4096];
  off_t at = 0;
  for (ssize_t n; (n = pread(STDERR_FILENO, bytes, sizeof bytes, at)) > 0; at += n) {
    for (ssize_t done = 0, w; done < n; done += w) {
      w = write(fd, bytes + done, static_cast<size_t>(n - done));
      if (w <= 0) break;
    }
  }
  dup2(fd, STDERR_FILENO);
  if (same) dup2(fd, STDOUT_FILENO);
}

}  // namespace mproc::platform
