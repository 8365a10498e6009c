// SPDX-License-Identifier: MIT
// The module of a process that keeps a dict and a list, and of its clients.
#include "keeper_functions.h"

enum { kMostClients = 16 };

typedef struct Keeper {
  Item keys[kKeeperMostItems / 2], values[kKeeperMostItems / 2], list[kKeeperMostItems];
  size_t entries, length;
  mproc_connection_t* connections[1 + kMostClients];  // the first one is whose process it is
  size_t count;
} Keeper;

static mproc_status_t Set(Keeper* keeper, const Item* key, const Item* value) {
  size_t at = 0;
  while (at < keeper->entries && !IsSame(&keeper->keys[at], key)) at++;
  if (at == kKeeperMostItems / 2) return MPROC_ERROR_TOO_LARGE;
  if (at == keeper->entries) keeper->keys[keeper->entries++] = *key;
  keeper->values[at] = *value;
  return MPROC_OK;
}

static mproc_status_t AnswerRequest(Keeper* keeper, mproc_connection_t* client) {
  Item request[kKeeperMostItems], answer[kKeeperMostItems];
  size_t size = 0, count = 0;
  TRY(ReceiveItems(client, request, &size));
  if (size == 0) return MPROC_ERROR_BAD_LENGTH;
  if (size == 3 && request[0].number == kKeeperSet) TRY(Set(keeper, &request[1], &request[2]));
  if (size == 2 && request[0].number == kKeeperAppend) {
    if (keeper->length == kKeeperMostItems) return MPROC_ERROR_TOO_LARGE;
    keeper->list[keeper->length++] = request[1];
  }
  if (request[0].number == kKeeperDict) {
    for (size_t i = 0; i < keeper->entries; i++) {
      answer[count++] = keeper->keys[i];
      answer[count++] = keeper->values[i];
    }
  }
  if (request[0].number == kKeeperList) {
    count = keeper->length;
    memcpy(answer, keeper->list, count * sizeof answer[0]);
  }
  return SendItems(client, answer, count);
}

static mproc_status_t AddClient(Keeper* keeper) {
  mproc_message_t* message = NULL;
  TRY(mproc_connection_receive_objects(keeper->connections[0], MPROC_FOREVER, &message));
  if (keeper->count == 1 + kMostClients) return MPROC_ERROR_TOO_LARGE;
  TRY(mproc_message_object(message, 0, (void**)&keeper->connections[keeper->count]));
  keeper->count++;
  return mproc_message_destroy(message);
}

static int32_t Do_keep(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  Keeper keeper = {.connections = {ObjectAt(call, 0)}, .count = 1};
  (void)input, (void)size, (void)user_data;
  while (keeper.length < 5) {
    keeper.list[keeper.length] = IntItem((int64_t)keeper.length);
    keeper.length++;
  }
  for (;;) {
    uint8_t ready[1 + kMostClients];
    TRY(mproc_wait(keeper.connections, keeper.count, NULL, 0, MPROC_FOREVER, ready, NULL));
    for (size_t i = keeper.count - 1; i > 0; i--) {
      if (!ready[i]) continue;
      mproc_status_t answered = AnswerRequest(&keeper, keeper.connections[i]);
      if (answered == MPROC_OK) continue;  // else it has gone, or talks nonsense
      TRY(mproc_connection_destroy(keeper.connections[i]));
      keeper.connections[i] = keeper.connections[--keeper.count];
    }
    mproc_status_t added = ready[0] ? AddClient(&keeper) : MPROC_OK;
    if (added == MPROC_ERROR_END_OF_FILE) break;
    TRY(added);
  }
  while (--keeper.count > 0) TRY(mproc_connection_destroy(keeper.connections[keeper.count]));
  return 0;
}

static int32_t Do_use(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_connection_t* keeper = ObjectAt(call, 0);
  Item items[kKeeperMostItems];
  size_t count = 0;
  const Item requests[][3] = {{IntItem(kKeeperSet), IntItem(1), TextItem("1")},
                              {IntItem(kKeeperSet), TextItem("2"), IntItem(2)},
                              {IntItem(kKeeperSet), RealItem(0.25), RealItem(0.5)}};
  const Item append[] = {IntItem(kKeeperAppend), IntItem(1)}, list = IntItem(kKeeperList);
  (void)input, (void)size, (void)user_data;
  for (int i = 0; i < 3; i++) TRY(Ask(keeper, requests[i], 3, items, &count));
  TRY(Ask(keeper, append, 2, items, &count));
  TRY(Ask(keeper, &list, 1, items, &count));
  return (int32_t)count;
}

MODULE_OF(KEEPER_FUNCTIONS)
