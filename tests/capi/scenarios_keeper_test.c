// SPDX-License-Identifier: MIT
// Scenario S8: a dict and a list that a process keeps for ten others, over connections that are passed.
#include "keeper_functions.h"
#include "processes.h"

static mproc_process_t* StartOver(uint32_t function, mproc_connection_t* connection) {
  mproc_process_options_t* options = ProcessOptions(function, NULL, 0);
  void* object = connection;
  NEED_OK(mproc_process_options_set_module(options, TEST_MODULE_KEEPER));
  NEED_OK(mproc_process_options_set_objects(options, &object, 1));
  return StartWith(options);
}

// A connection to the keeper, which gets the other end over `own`.
static mproc_connection_t* NewClient(mproc_connection_t* own) {
  mproc_connection_t *mine = NULL, *its = NULL;
  NEED_OK(mproc_pipe_create(1, &mine, &its));
  void* object = its;
  NEED_OK(mproc_connection_send_objects(own, NULL, 0, &object, 1, TestLong()));
  NEED_OK(mproc_connection_destroy(its));
  return mine;
}

// What the dict has for a key; -1: nothing, or not once.
static int64_t EntryOf(const Item* entries, size_t count, Item key) {
  int64_t at = -1;
  for (size_t i = 0; i + 1 < count; i += 2) {
    if (!IsSame(&entries[i], &key)) continue;
    if (at >= 0) return -1;
    at = (int64_t)i + 1;
  }
  return at;
}
static int Has(const Item* entries, size_t count, Item key, Item value) {
  int64_t at = EntryOf(entries, count, key);
  return at >= 0 && IsSame(&entries[at], &value);
}

static void KeptForTen(void) {
  enum { kClients = 10 };
  mproc_connection_t *own = NULL, *its = NULL;
  NEED_OK(mproc_pipe_create(1, &own, &its));
  mproc_process_t* keeper = StartOver(keeper_keep, its);
  NEED_OK(mproc_connection_destroy(its));
  mproc_process_t* clients[kClients];
  for (int i = 0; i < kClients; i++) {
    mproc_connection_t* connection = NewClient(own);
    clients[i] = StartOver(keeper_use, connection);
    NEED_OK(mproc_connection_destroy(connection));
  }
  for (int i = 0; i < kClients; i++) {
    int32_t seen = TakeCode(clients[i]);
    CHECK(seen >= 6 && seen <= 15);
  }

  mproc_connection_t* connection = NewClient(own);
  Item items[kKeeperMostItems], list = IntItem(kKeeperList), dict = IntItem(kKeeperDict);
  size_t count = 0;
  NEED_OK(Ask(connection, &dict, 1, items, &count));
  CHECK_EQ(count, 6);
  CHECK(Has(items, count, IntItem(1), TextItem("1")));
  CHECK(Has(items, count, TextItem("2"), IntItem(2)));
  CHECK(Has(items, count, RealItem(0.25), RealItem(0.5)));
  CHECK(EntryOf(items, count, TextItem("1")) < 0 && EntryOf(items, count, RealItem(1)) < 0);
  NEED_OK(Ask(connection, &list, 1, items, &count));
  CHECK_EQ(count, 5 + kClients);
  for (size_t i = 0; i < count; i++) {
    Item wanted = IntItem(i < 5 ? (int64_t)i : 1);
    CHECK(IsSame(&items[i], &wanted));
  }

  CHECK_OK(mproc_connection_destroy(own));  // the keeper ends with its own connection
  CHECK_EQ(TakeCode(keeper), 0);
  mproc_status_t asked = Ask(connection, &list, 1, items, &count);
  CHECK(asked == MPROC_ERROR_BROKEN_PIPE || asked == MPROC_ERROR_END_OF_FILE);
  CHECK_OK(mproc_connection_destroy(connection));
}

// A client that talks nonsense is let go, and costs the others nothing.
static void OneTalksNonsense(void) {
  mproc_connection_t *own = NULL, *its = NULL;
  NEED_OK(mproc_pipe_create(1, &own, &its));
  mproc_process_t* keeper = StartOver(keeper_keep, its);
  NEED_OK(mproc_connection_destroy(its));
  mproc_connection_t *bad = NewClient(own), *good = NewClient(own);
  Item items[kKeeperMostItems], list = IntItem(kKeeperList);
  size_t count = 0;
  NEED_OK(mproc_connection_send(bad, "nonsense", 8, TestLong()));
  NEED_OK(Ask(good, &list, 1, items, &count));
  CHECK_EQ(count, 5);
  CHECK_STATUS(mproc_connection_receive_into(bad, items, sizeof items, &count, TestLong()),
               MPROC_ERROR_END_OF_FILE);
  CHECK_OK(mproc_connection_destroy(bad));
  CHECK_OK(mproc_connection_destroy(good));
  CHECK_OK(mproc_connection_destroy(own));
  CHECK_EQ(TakeCode(keeper), 0);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"S8 kept for ten", KeptForTen, 0},
      {"one talks nonsense", OneTalksNonsense, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
