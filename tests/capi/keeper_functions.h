// SPDX-License-Identifier: MIT
// A process that keeps a dict and a list for others, which ask it over connections: how a program shares
// objects that fit into no shared memory. What the module of it, its clients and the host agree on.
#ifndef MPROC_TESTS_KEEPER_FUNCTIONS_H
#define MPROC_TESTS_KEEPER_FUNCTIONS_H

#include "module.h"

// X(id, name, what it does, with which objects)
#define KEEPER_FUNCTIONS(X)                                                                            \
  X(1, keep, "keeps a dict and the list of 0 to 4; its own connection, 0, brings it those of clients") \
  X(2, use, "sets three keys of the dict and appends 1 to the list, over 0; ends with the list's length")

enum {
#define KEEPER_ID(id, name, about) keeper_##name = id,
  KEEPER_FUNCTIONS(KEEPER_ID)
#undef KEEPER_ID
};

// A request is a list: what is to be done, and the items that it is done with. The answer is a list of items.
enum { kKeeperSet = 1, kKeeperAppend, kKeeperDict, kKeeperList };

enum { kKeeperMostItems = 64 };

// A value that may be a key, too.
typedef struct Item {
  int32_t kind;
  int64_t number;
  double real;
  char text[16];
} Item;

static inline Item IntItem(int64_t number) { return (Item){.kind = MPROC_VALUE_INT, .number = number}; }
static inline Item RealItem(double real) { return (Item){.kind = MPROC_VALUE_DOUBLE, .real = real}; }
static inline Item TextItem(const char* text) {
  Item item = {.kind = MPROC_VALUE_STRING};
  strncpy(item.text, text, sizeof item.text - 1);
  return item;
}
static inline int IsSame(const Item* one, const Item* other) {
  return one->kind == other->kind && one->number == other->number && one->real == other->real &&
         strcmp(one->text, other->text) == 0;
}

static inline mproc_status_t PutItem(mproc_value_t* value, const Item* item) {
  if (item->kind == MPROC_VALUE_STRING) return mproc_value_put_string(value, item->text, strlen(item->text));
  if (item->kind == MPROC_VALUE_DOUBLE) return mproc_value_put_double(value, item->real);
  return mproc_value_put_int(value, item->number);
}
static inline mproc_status_t GetItem(mproc_value_t* value, uint64_t node, Item* item) {
  const char* text = NULL;
  size_t size = 0;
  *item = (Item){0};
  TRY(mproc_value_kind(value, node, &item->kind));
  if (item->kind == MPROC_VALUE_DOUBLE) return mproc_value_get_double(value, node, &item->real);
  if (item->kind != MPROC_VALUE_STRING) {
    item->kind = MPROC_VALUE_INT;
    return mproc_value_get_int(value, node, &item->number);
  }
  TRY(mproc_value_get_string(value, node, &text, &size));
  if (size >= sizeof item->text) return MPROC_ERROR_TOO_LARGE;
  memcpy(item->text, text, size);
  return MPROC_OK;
}

// Sends a list of items.
static inline mproc_status_t SendItems(mproc_connection_t* connection, const Item* items, size_t count) {
  mproc_value_t* value = NULL;
  const void* data = NULL;
  size_t size = 0;
  TRY(mproc_value_create(&value));
  TRY(mproc_value_begin_list(value));
  for (size_t i = 0; i < count; i++) TRY(PutItem(value, &items[i]));
  TRY(mproc_value_end(value));
  TRY(mproc_value_encode(value, &data, &size));
  mproc_status_t sent = mproc_connection_send(connection, data, size, MPROC_FOREVER);
  TRY(mproc_value_destroy(value));
  return sent;
}
static inline mproc_status_t ReadItems(mproc_value_t* value, Item items[kKeeperMostItems], size_t* count) {
  uint64_t length = 0, node = 0;
  TRY(mproc_value_count(value, 0, &length));
  if (length > kKeeperMostItems) return MPROC_ERROR_TOO_LARGE;
  for (uint64_t i = 0; i < length; i++) {
    TRY(mproc_value_list_at(value, 0, i, &node));
    TRY(GetItem(value, node, &items[i]));
  }
  *count = length;
  return MPROC_OK;
}
static inline mproc_status_t ReceiveItems(mproc_connection_t* connection, Item items[kKeeperMostItems],
                                          size_t* count) {
  mproc_message_t* message = NULL;
  mproc_value_t* value = NULL;
  void* data = NULL;
  size_t size = 0;
  TRY(mproc_connection_receive(connection, MPROC_FOREVER, &message));
  TRY(mproc_message_data(message, &data, &size));
  TRY(mproc_value_create(&value));
  mproc_status_t read = mproc_value_decode(value, data, size);
  if (read == MPROC_OK) read = ReadItems(value, items, count);
  TRY(mproc_value_destroy(value));
  TRY(mproc_message_destroy(message));
  return read;
}

// Asks the keeper, and has its answer in `items`.
static inline mproc_status_t Ask(mproc_connection_t* keeper, const Item* request, size_t size,
                                 Item items[kKeeperMostItems], size_t* count) {
  TRY(SendItems(keeper, request, size));
  return ReceiveItems(keeper, items, count);
}

#endif
