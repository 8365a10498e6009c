// SPDX-License-Identifier: MIT
// Listeners and clients, among themselves and with Python.
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "connections.h"

static const char kKey[] = "a secret key";
enum { kKeySize = sizeof kKey - 1 };

static mproc_listener_t* ListenAt(const char* address, const char* key) {
  mproc_listener_t* listener = NULL;
  NEED_OK(mproc_listener_create(address, 16, key, key ? strlen(key) : 0, MPROC_KEY_DEFAULT, &listener));
  return listener;
}
static const char* AddressOf(mproc_listener_t* listener) {
  const char* address = NULL;
  NEED_OK(mproc_listener_address(listener, &address));
  return address;
}
static mproc_connection_t* Accept(mproc_listener_t* listener) {
  mproc_connection_t* connection = NULL;
  NEED_OK(mproc_listener_accept(listener, TestLong(), &connection));
  return connection;
}
static const char* LocalAddress(const char* kind) {
  static char text[600];
  if (!text[0]) unlink(TestFile());  // of a killed run whose case had the number of this one
  snprintf(text, sizeof text, "%s:%s", kind, TestFile());
  return text;
}

// ---- a client on a thread

typedef struct {
  const char *address, *key;
  int32_t options;
  int64_t limit;
  bool insists;  // tries again when it was let go
  mproc_status_t status;
  mproc_connection_t* connection;
  pthread_t thread;
} Client;

static void* RunClient(void* argument) {
  Client* client = argument;
  do {
    client->status = mproc_client_connect(client->address, client->key, client->key ? strlen(client->key) : 0,
                                          client->options, client->limit, &client->connection);
  } while (client->insists && client->status == MPROC_ERROR_AUTHENTICATION);
  return NULL;
}
static void StartClient(Client* client, const char* address, const char* key, bool insists) {
  *client = (Client){.address = address,
                     .key = key,
                     .limit = TestLong(),
                     .insists = insists,
                     .status = MPROC_ERROR_INTERNAL};
  NEED(pthread_create(&client->thread, NULL, RunClient, client) == 0);
}
static mproc_status_t JoinClient(Client* client) {
  pthread_join(client->thread, NULL);
  return client->status;
}

static void EveryKindOfAddress(void) {
  static const char* const kKinds[] = {"unix", "abstract", "tcp"};
  for (int i = 0; i < 6; i++) {
    const char *kind = kKinds[i % 3], *key = i < 3 ? NULL : kKey;
    mproc_listener_t* listener = ListenAt(i % 3 == 2 ? "tcp:127.0.0.1:0" : LocalAddress(kind), key);
    mproc_connection_t* connection = NULL;
    int32_t fd = -1, domain = 0;
    socklen_t size = sizeof domain;
    Client client;
    CHECK_HAS(AddressOf(listener), kind);
    CHECK_STATUS(mproc_listener_accept(listener, 0, &connection), MPROC_ERROR_TIMED_OUT);
    CHECK_STATUS(mproc_listener_accept(listener, MPROC_MILLISECOND, &connection), MPROC_ERROR_TIMED_OUT);
    StartClient(&client, AddressOf(listener), key, false);
    connection = Accept(listener);
    CHECK_OK(JoinClient(&client));
    Tell(client.connection, "hello");
    CHECK_HAS(Hear(connection), "hello");
    Tell(connection, "welcome");
    CHECK_HAS(Hear(client.connection), "welcome");
    mproc_event_t* event = NewEvent();
    void* object = event;
    CHECK_STATUS(mproc_connection_send_objects(connection, NULL, 0, &object, 1, 0),
                 i % 3 == 2 ? MPROC_ERROR_UNSUPPORTED : MPROC_OK);
    CHECK_OK(mproc_event_destroy(event));
    CHECK_OK(mproc_connection_fd(connection, &fd));
    CHECK(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0);
    CHECK_EQ(domain, i % 3 == 2 ? AF_INET : AF_UNIX);
    CHECK_OK(mproc_listener_destroy(listener));
    Tell(client.connection, "lives on");
    CHECK_HAS(Hear(connection), "lives on");
    Gone(connection);
    Gone(client.connection);
  }
}

static void FilesComeAndGo(void) {
  struct stat file;
  mproc_connection_t* connection = NULL;
  mproc_listener_t *listener = ListenAt(LocalAddress("unix"), NULL), *other = NULL;
  CHECK(stat(TestFile(), &file) == 0 && S_ISSOCK(file.st_mode));
  CHECK_STATUS(mproc_listener_create(LocalAddress("unix"), 1, NULL, 0, 0, &other), MPROC_ERROR_EXISTS);
  CHECK_OK(mproc_listener_destroy(listener));
  CHECK(stat(TestFile(), &file) != 0);
  CHECK_STATUS(mproc_client_connect(LocalAddress("unix"), NULL, 0, 0, 0, &connection), MPROC_ERROR_NOT_FOUND);
  listener = ListenAt(LocalAddress("unix"), NULL);
  CHECK(unlink(TestFile()) == 0);
  other = ListenAt(LocalAddress("unix"), NULL);
  CHECK_OK(mproc_listener_destroy(listener));  // leaves what is not its own
  CHECK(stat(TestFile(), &file) == 0);
  CHECK_OK(mproc_listener_destroy(other));
  listener = ListenAt("tcp:127.0.0.1:0", NULL);
  CHECK_STATUS(mproc_listener_create(AddressOf(listener), 1, NULL, 0, 0, &other), MPROC_ERROR_EXISTS);
  CHECK_OK(mproc_listener_destroy(listener));
}

static void WrongKeysAreRefused(void) {
  mproc_listener_t* listener = ListenAt(LocalAddress("abstract"), kKey);
  mproc_connection_t* connection = NULL;
  uint64_t refused = 0;
  Client wrong, without, right;
  StartClient(&wrong, AddressOf(listener), "another key", false);
  StartClient(&without, AddressOf(listener), NULL, false);
  StartClient(&right, AddressOf(listener), kKey, false);
  connection = Accept(listener);
  CHECK_OK(JoinClient(&right));
  CHECK_OK(JoinClient(&without));  // it does not know yet
  Tell(right.connection, "right");
  CHECK_HAS(Hear(connection), "right");
  (void)mproc_connection_send(without.connection, "let me in", 9, 0);
  Gone(connection);
  CHECK_SOON(mproc_listener_accept(listener, MPROC_MILLISECOND, &connection) == MPROC_ERROR_TIMED_OUT &&
             mproc_listener_refused(listener, &refused) == MPROC_OK && refused == 2);
  CHECK_STATUS(JoinClient(&wrong), MPROC_ERROR_AUTHENTICATION);
  Gone(right.connection);
  Gone(without.connection);
  CHECK_OK(mproc_listener_destroy(listener));
}

// Who is so quick that all is proven at once is not taken for one that came to nothing.
enum { kQuick = 1000 };
static void* ConnectQuickly(void* argument) {
  mproc_listener_t* listener = argument;
  for (int i = 0; i < kQuick; i++) {
    mproc_connection_t* connection = NULL;
    if (!CHECK_OK(mproc_client_connect(AddressOf(listener), kKey, kKeySize, 0, TestLong(), &connection)))
      break;
    Gone(connection);
  }
  return NULL;
}
static void QuickOnesAreTaken(void) {
  mproc_listener_t* listener = ListenAt(LocalAddress("abstract"), kKey);
  pthread_t thread;
  uint64_t refused = 7;
  NEED(pthread_create(&thread, NULL, ConnectQuickly, listener) == 0);
  for (int i = 0; i < kQuick; i++) Gone(Accept(listener));
  pthread_join(thread, NULL);
  CHECK_OK(mproc_listener_refused(listener, &refused));
  CHECK_EQ(refused, 0);
  CHECK_OK(mproc_listener_destroy(listener));
}

// A bare socket that is connected and says nothing.
static int Silent(const char* address) {
  struct sockaddr_un local = {.sun_family = AF_UNIX};
  const char* name = strchr(address, ':') + 1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  memcpy(local.sun_path + 1, name, strlen(name));
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
  if (connect(fd, (struct sockaddr*)&local, size) == 0) return fd;
  close(fd);
  return -1;
}
static mproc_listener_t* g_listener;
static atomic_int g_accepted;
static void* AcceptOne(void* connection) {
  *(mproc_connection_t**)connection = Accept(g_listener);
  atomic_store(&g_accepted, 1);
  return NULL;
}
static void SilentOnesStopNobody(void) {
  enum { kMany = 1000, kOpen = 300 };
  int fds[kOpen], open = 0, connected = 0;
  Client client;
  pthread_t thread;
  mproc_connection_t* connection = NULL;
  g_listener = ListenAt(LocalAddress("abstract"), kKey);
  NEED(pthread_create(&thread, NULL, AcceptOne, &connection) == 0);
  for (int i = 0; i < kMany && !atomic_load(&g_accepted); i++) {
    if (i == kMany / 2)
      StartClient(&client, AddressOf(g_listener), kKey, true);  // a busy machine may make it look silent
    int fd = -1;
    NEED_SOON((fd = Silent(AddressOf(g_listener))) >= 0 || atomic_load(&g_accepted));
    connected += fd >= 0;
    if (fd >= 0 && open < kOpen) {
      fds[open++] = fd;
    } else if (fd >= 0) {
      close(fd);
    }
  }
  pthread_join(thread, NULL);
  CHECK_OK(JoinClient(&client));
  CHECK(connected >= kMany / 2);
  Tell(client.connection, "spoken");
  CHECK_HAS(Hear(connection), "spoken");
  Gone(connection);
  Gone(client.connection);
  CHECK_OK(mproc_listener_destroy(g_listener));
  for (int i = 0; i < open; i++) close(fds[i]);
}

static void SilentOnesAreLetGo(void) {
  mproc_listener_t* listener = ListenAt(LocalAddress("abstract"), kKey);
  mproc_connection_t* connection = NULL;
  uint64_t refused = 0;
  char byte;
  CHECK_OK(mproc_listener_set_proof_limit(listener, 20 * MPROC_MILLISECOND));
  CHECK_STATUS(mproc_listener_set_proof_limit(listener, 0), MPROC_ERROR_INVALID_ARGUMENT);
  int fd = Silent(AddressOf(listener));
  NEED(fd >= 0);
  CHECK_SOON(mproc_listener_accept(listener, MPROC_MILLISECOND, &connection) == MPROC_ERROR_TIMED_OUT &&
             mproc_listener_refused(listener, &refused) == MPROC_OK && refused == 1);
  while (recv(fd, &byte, 1, MSG_DONTWAIT) == 1) {
  }
  CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) == 0);  // it was closed
  close(fd);
  // Nor does a listener that never answers hold a client.
  CHECK_STATUS(mproc_client_connect(AddressOf(listener), kKey, kKeySize, 0, MPROC_MILLISECOND, &connection),
               MPROC_ERROR_TIMED_OUT);
  CHECK_OK(mproc_listener_destroy(listener));
}

static void Statuses(void) {
  mproc_listener_t* listener = NULL;
  mproc_connection_t* connection = NULL;
  static const char* const kBad[] = {"",      "unix",        "unix:",     "tcp:host",      "tcp::x",
                                     "udp:x", "tcp:h:65536", "tcp:a:b:1", "tcp:127.0.0.1:"};
  for (size_t i = 0; i < sizeof kBad / sizeof kBad[0]; i++) {
    CHECK_STATUS(mproc_listener_create(kBad[i], 1, NULL, 0, 0, &listener), MPROC_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(mproc_client_connect(kBad[i], NULL, 0, 0, 0, &connection), MPROC_ERROR_INVALID_ARGUMENT);
  }
  const char* good = LocalAddress("abstract");
  CHECK_STATUS(mproc_listener_create(good, 0, NULL, 0, 0, &listener), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_listener_create(good, 1, "", 0, 0, &listener), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_listener_create(good, 1, NULL, 5, 0, &listener), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_listener_create(good, 1, NULL, 0, 4, &listener), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_listener_create(NULL, 1, NULL, 0, 0, &listener), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_listener_create(good, 1, NULL, 0, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_client_connect(good, "", 0, 0, 0, &connection), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_client_connect(good, NULL, 0, 0, 0, &connection), MPROC_ERROR_NOT_FOUND);
  CHECK_STATUS(mproc_listener_create("unix:/nowhere/at/all", 1, NULL, 0, 0, &listener),
               MPROC_ERROR_NOT_FOUND);
  CHECK(!listener && !connection);
  CHECK_OK(mproc_listener_destroy(NULL));
}

// ---- with Python

static pid_t StartPython(const char* role, const char* address, const char* key, FILE** says) {
  int ends[2];
  NEED(pipe(ends) == 0);
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execl(TEST_PYTHON, "python3", TEST_SCRIPTS "/connection_peer.py", role, address, key ? key : "", NULL);
    _exit(127);
  }
  close(ends[1]);
  *says = fdopen(ends[0], "r");
  return pid;
}
static int EndPython(pid_t pid, FILE* says) {
  int status = 0;
  fclose(says);
  NEED(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
static void NeedPython(void) {
  if (!TEST_PYTHON[0]) TestSkip("there is no python3");
}
static void TalkWithPython(mproc_connection_t* connection) {
  static const size_t kSizes[] = {0, 1, 16384, 16385, 1000000};
  for (size_t i = 0; i < sizeof kSizes / sizeof kSizes[0]; i++) {
    void* data = NULL;
    size_t size = 0;
    mproc_message_t* message = NULL;
    char* bytes = malloc(kSizes[i] + 1);
    for (size_t k = 0; k < kSizes[i]; k++) bytes[k] = (char)(k * 13 + k / 512);
    NEED_OK(mproc_connection_send(connection, bytes, kSizes[i], TestLong()));
    NEED_OK(mproc_connection_receive(connection, TestLong(), &message));
    CHECK_OK(mproc_message_data(message, &data, &size));
    CHECK(size == kSizes[i] && memcmp(data, bytes, size) == 0);
    CHECK_OK(mproc_message_destroy(message));
    free(bytes);
  }
}

static void PythonConnects(void) {
  NeedPython();
  for (int i = 0; i < 4; i++) {
    const char* key = i % 2 ? kKey : NULL;
    mproc_listener_t* listener = ListenAt(i < 2 ? LocalAddress("unix") : "tcp:127.0.0.1:0", key);
    FILE* says = NULL;
    pid_t pid = StartPython("connect", AddressOf(listener), key, &says);
    mproc_connection_t* connection = Accept(listener);
    TalkWithPython(connection);
    Gone(connection);
    CHECK_EQ(EndPython(pid, says), 0);
    CHECK_OK(mproc_listener_destroy(listener));
  }
}

static void PythonListens(void) {
  NeedPython();
  for (int i = 0; i < 4; i++) {
    const char *key = i % 2 ? kKey : NULL, *address = LocalAddress(i < 2 ? "unix" : "abstract");
    char line[32] = "";
    FILE* says = NULL;
    mproc_connection_t* connection = NULL;
    pid_t pid = StartPython("listen", address, key, &says);
    NEED(fgets(line, sizeof line, says) && strcmp(line, "listening\n") == 0);
    NEED_OK(mproc_client_connect(address, key, key ? kKeySize : 0, 0, TestLong(), &connection));
    TalkWithPython(connection);
    Gone(connection);
    CHECK_EQ(EndPython(pid, says), 0);
  }
}

// A message whose length needs the long form, there and back, in both roles; takes some 15 GiB of memory.
static void PythonAndThreeGigabytes(void) {
  NeedPython();
  if (!getenv("MPROC_TEST_LARGE")) TestSkip("MPROC_TEST_LARGE is not set");
  const size_t size = (size_t)3 << 30;
  char* bytes = malloc(size);
  NEED(bytes);
  for (size_t i = 0; i < size; i += 8) memcpy(bytes + i, &i, 8);
  for (int role = 0; role < 2; role++) {
    const char* address = LocalAddress("unix");
    mproc_listener_t* listener = role ? ListenAt(address, kKey) : NULL;
    mproc_connection_t* connection = NULL;
    mproc_message_t* message = NULL;
    FILE* says = NULL;
    void* data = NULL;
    size_t came = 0;
    char line[32] = "";
    pid_t pid = StartPython(role ? "connect" : "listen", address, kKey, &says);
    if (!role) {
      NEED(fgets(line, sizeof line, says));
      NEED_OK(mproc_client_connect(address, kKey, kKeySize, 0, TestLong(), &connection));
    } else {
      connection = Accept(listener);
    }
    NEED_OK(mproc_connection_send(connection, bytes, size, MPROC_FOREVER));
    NEED_OK(mproc_connection_receive(connection, MPROC_FOREVER, &message));
    CHECK_OK(mproc_message_data(message, &data, &came));
    CHECK(came == size && memcmp(data, bytes, size) == 0);
    CHECK_OK(mproc_message_destroy(message));
    Gone(connection);
    CHECK_EQ(EndPython(pid, says), 0);
    CHECK_OK(mproc_listener_destroy(listener));
  }
  free(bytes);
}

// Python knows nothing but MD5 before 3.12.
static void PythonWithoutMd5(void) {
  NeedPython();
  int knows_more = system(TEST_PYTHON " -c 'import sys; sys.exit(sys.version_info >= (3, 12))'") != 0;
  mproc_connection_t* connection = NULL;
  mproc_listener_t* listener = NULL;
  FILE* says = NULL;
  uint64_t refused = 0;
  char line[32] = "";
  pid_t pid = StartPython("listen", LocalAddress("unix"), kKey, &says);
  NEED(fgets(line, sizeof line, says));
  CHECK_STATUS(
      mproc_client_connect(LocalAddress("unix"), kKey, kKeySize, MPROC_KEY_NO_MD5, TestLong(), &connection),
      knows_more ? MPROC_OK : MPROC_ERROR_AUTHENTICATION);
  if (knows_more) Gone(connection);
  CHECK_EQ(EndPython(pid, says), knows_more ? 0 : 3);

  NEED_OK(mproc_listener_create("tcp:127.0.0.1:0", 1, kKey, kKeySize, MPROC_KEY_NO_MD5, &listener));
  pid = StartPython("connect", AddressOf(listener), kKey, &says);
  if (knows_more) {
    Gone(Accept(listener));
  } else {
    CHECK_SOON(mproc_listener_accept(listener, MPROC_MILLISECOND, &connection) == MPROC_ERROR_TIMED_OUT &&
               mproc_listener_refused(listener, &refused) == MPROC_OK && refused == 1);
  }
  CHECK_EQ(EndPython(pid, says), knows_more ? 0 : 3);
  CHECK_OK(mproc_listener_destroy(listener));
}

static void PythonWithTheWrongKey(void) {
  NeedPython();
  mproc_listener_t* listener = ListenAt(LocalAddress("unix"), kKey);
  mproc_connection_t* connection = NULL;
  FILE* says = NULL;
  uint64_t refused = 0;
  char line[32] = "";
  pid_t pid = StartPython("connect", AddressOf(listener), "wrong", &says);
  CHECK_SOON(mproc_listener_accept(listener, MPROC_MILLISECOND, &connection) == MPROC_ERROR_TIMED_OUT &&
             mproc_listener_refused(listener, &refused) == MPROC_OK && refused == 1);
  CHECK_EQ(EndPython(pid, says), 3);
  pid = StartPython("connect", AddressOf(listener), kKey, &says);  // the listener goes on
  connection = Accept(listener);
  Gone(connection);
  CHECK_EQ(EndPython(pid, says), 0);
  CHECK_OK(mproc_listener_destroy(listener));
  pid = StartPython("listen", LocalAddress("unix"), kKey, &says);
  NEED(fgets(line, sizeof line, says));
  int64_t begun = TestNow();
  CHECK_STATUS(mproc_client_connect(LocalAddress("unix"), "wrong", 5, 0, TestLong(), &connection),
               MPROC_ERROR_AUTHENTICATION);
  CHECK(TestNow() - begun < MPROC_SECOND * TestSlowness());
  CHECK_EQ(EndPython(pid, says), 3);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"every kind of address", EveryKindOfAddress, 0},
      {"files come and go", FilesComeAndGo, 0},
      {"wrong keys are refused", WrongKeysAreRefused, 0},
      {"quick ones are taken", QuickOnesAreTaken, 0},
      {"silent ones stop nobody", SilentOnesStopNobody, 0},
      {"silent ones are let go", SilentOnesAreLetGo, 0},
      {"statuses", Statuses, 0},
      {"Python connects", PythonConnects, 0},
      {"Python listens", PythonListens, 0},
      {"Python and three gigabytes", PythonAndThreeGigabytes, 300},
      {"Python without MD5", PythonWithoutMd5, 0},
      {"Python with the wrong key", PythonWithTheWrongKey, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
