// SPDX-License-Identifier: MIT
// A machine without libcrypto, which this program plays for the library: keys are refused, all else works.
#include <dlfcn.h>

#include "connections.h"

#if !TEST_UNDER_ASAN && !TEST_UNDER_TSAN
static _Atomic int g_asked;

// Found by the library before that of the system.
__attribute__((visibility("default"))) void* dlopen(const char* name, int flags) {
  void* (*real)(const char*, int) = (void* (*)(const char*, int))dlsym(RTLD_NEXT, "dlopen");
  if (!name || !strstr(name, "libcrypto")) return real(name, flags);
  g_asked++;
  return NULL;
}
#endif

static void NoKeysWithoutIt(void) {
#if TEST_UNDER_ASAN || TEST_UNDER_TSAN
  TestSkip("the sanitizer has a dlopen of its own");
#else
  mproc_listener_t* listener = NULL;
  mproc_connection_t *connection = NULL, *accepted = NULL;
  const char* address = NULL;
  char text[600];
  snprintf(text, sizeof text, "abstract:%s", TestFile());
  CHECK_STATUS(mproc_listener_create(text, 1, "key", 3, 0, &listener), MPROC_ERROR_UNSUPPORTED);
  CHECK(g_asked > 0);
  CHECK_HAS(mproc_last_error_message(), "libcrypto");
  NEED_OK(mproc_listener_create(text, 1, NULL, 0, 0, &listener));
  NEED_OK(mproc_listener_address(listener, &address));
  CHECK_STATUS(mproc_client_connect(address, "key", 3, 0, TestLong(), &connection), MPROC_ERROR_UNSUPPORTED);
  CHECK(!connection);
  NEED_OK(mproc_client_connect(address, NULL, 0, 0, TestLong(), &connection));
  NEED_OK(mproc_listener_accept(listener, TestLong(), &accepted));
  Tell(connection, "hello");
  CHECK(strcmp(Hear(accepted), "hello") == 0);
  Gone(connection);
  Gone(accepted);
  CHECK_OK(mproc_listener_destroy(listener));
#endif
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {{"no keys without it", NoKeysWithoutIt, 0}};
  return TEST_MAIN(argc, argv, cases);
}
