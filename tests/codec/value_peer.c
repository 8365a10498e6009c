// SPDX-License-Identifier: MIT
// The library's side of codec_test.py. A frame is a 32-bit size and so many bytes.
//
//   value_peer echo         reads frames; answers each with two: the value as it is when it was decoded,
//   walked
//                           through and put together again, and its description; two empty ones if refused
//   value_peer make SEED N  makes N random values and writes two such frames of each
#include <inttypes.h>
#include <mproc/mproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void Check(int good, const char* what) {
  if (good) return;
  fprintf(stderr, "value_peer: %s: %s\n", what, mproc_last_error_message());
  exit(1);
}
#define OK(call) Check((call) == MPROC_OK, #call)

// ---- the description, as value_codec.describe makes it

static char* g_text;
static size_t g_size, g_room;

static void Grow(size_t more) {
  if (g_size + more <= g_room) return;
  g_room = (g_size + more) * 2;
  g_text = realloc(g_text, g_room);
}
static void Say(const char* text) {
  Grow(strlen(text));
  memcpy(g_text + g_size, text, strlen(text));
  g_size += strlen(text);
}
static void SayHex(const void* data, size_t size) {
  Grow(2 * size + 1);
  for (size_t i = 0; i < size; i++) {
    g_size += (size_t)snprintf(g_text + g_size, 3, "%02x", ((const unsigned char*)data)[i]);
  }
}

// Walks through a node, describes it, and puts it into `copy`.
static void Walk(mproc_value_t* value, uint64_t node, mproc_value_t* copy) {
  static const size_t kSizes[] = {0, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
  int32_t kind, truth, type;
  uint64_t count, number, key, entry;
  int64_t integer;
  double real;
  const char* text;
  const void* data;
  size_t size;
  char buffer[40];
  OK(mproc_value_kind(value, node, &kind));
  switch (kind) {
    case MPROC_VALUE_NIL:
      Say("n");
      OK(mproc_value_put_nil(copy));
      break;
    case MPROC_VALUE_BOOL:
      OK(mproc_value_get_bool(value, node, &truth));
      Say(truth ? "t" : "f");
      OK(mproc_value_put_bool(copy, truth));
      break;
    case MPROC_VALUE_INT:
      OK(mproc_value_get_int(value, node, &integer));
      snprintf(buffer, sizeof buffer, "i%" PRId64, integer);
      Say(buffer);
      OK(mproc_value_put_int(copy, integer));
      break;
    case MPROC_VALUE_UINT:
      OK(mproc_value_get_uint(value, node, &number));
      snprintf(buffer, sizeof buffer, "u%" PRIu64, number);
      Say(buffer);
      OK(mproc_value_put_uint(copy, number));
      break;
    case MPROC_VALUE_DOUBLE:
      OK(mproc_value_get_double(value, node, &real));
      memcpy(&number, &real, sizeof number);
      snprintf(buffer, sizeof buffer, "d%016" PRIx64, number);
      Say(buffer);
      OK(mproc_value_put_double(copy, real));
      break;
    case MPROC_VALUE_STRING:
      OK(mproc_value_get_string(value, node, &text, &size));
      Say("s");
      SayHex(text, size);
      OK(mproc_value_put_string(copy, text, size));
      break;
    case MPROC_VALUE_BYTES:
      OK(mproc_value_get_bytes(value, node, &data, &size));
      Say("b");
      SayHex(data, size);
      OK(mproc_value_put_bytes(copy, data, size));
      break;
    case MPROC_VALUE_LIST:
      OK(mproc_value_count(value, node, &count));
      OK(mproc_value_begin_list(copy));
      Say("[");
      for (uint64_t i = 0; i < count; i++) {
        OK(mproc_value_list_at(value, node, i, &entry));
        if (i) Say(",");
        Walk(value, entry, copy);
      }
      Say("]");
      OK(mproc_value_end(copy));
      break;
    case MPROC_VALUE_MAP:
      OK(mproc_value_count(value, node, &count));
      OK(mproc_value_begin_map(copy));
      Say("{");
      for (uint64_t i = 0; i < count; i++) {
        OK(mproc_value_map_at(value, node, i, &key, &entry));
        if (i) Say(",");
        Walk(value, key, copy);
        Say(":");
        Walk(value, entry, copy);
      }
      Say("}");
      OK(mproc_value_end(copy));
      break;
    case MPROC_VALUE_ARRAY:
      OK(mproc_value_get_array(value, node, &type, &data, &count));
      snprintf(buffer, sizeof buffer, "a%d=", type);
      Say(buffer);
      SayHex(data, count * kSizes[type]);
      OK(mproc_value_put_array(copy, type, data, count));
      break;
    default:
      Check(0, "an unknown kind");
  }
}

static void WriteFrame(const void* data, size_t size) {
  uint32_t head = (uint32_t)size;
  Check(fwrite(&head, sizeof head, 1, stdout) == 1 && fwrite(data, 1, size, stdout) == size, "writing");
}

// Writes what `value` is, by what `copy` becomes.
static void Answer(mproc_value_t* value, mproc_value_t* copy) {
  const void* data;
  size_t size;
  g_size = 0;
  OK(mproc_value_clear(copy));
  Walk(value, 0, copy);
  OK(mproc_value_encode(copy, &data, &size));
  WriteFrame(data, size);
  WriteFrame(g_text, g_size);
}

static void Echo(mproc_value_t* value, mproc_value_t* copy) {
  uint32_t size;
  while (fread(&size, sizeof size, 1, stdin) == 1) {
    void* bytes = malloc(size ? size : 1);  // of just this size, so that reading beyond it is seen
    Check(fread(bytes, 1, size, stdin) == size, "reading");
    mproc_status_t status = mproc_value_decode_borrowed(value, bytes, size);
    if (status == MPROC_OK) {
      Answer(value, copy);
    } else {
      Check(status == MPROC_ERROR_BAD_VALUE || status == MPROC_ERROR_TOO_DEEP, "refused otherwise");
      WriteFrame("", 0);
      WriteFrame("", 0);
    }
    OK(mproc_value_clear(value));
    free(bytes);
    fflush(stdout);
  }
}

// ---- random values

static uint64_t g_state;
static uint64_t Random(void) {  // splitmix64
  uint64_t z = (g_state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
static uint64_t RandomNumber(void) { return Random() >> (Random() % 64); }

static size_t RandomText(char* text) {
  size_t size = 0;
  for (uint64_t count = Random() % 12; count; count--) {
    uint32_t c = (uint32_t)RandomNumber() % 0x110000;
    if (c >= 0xd800 && c < 0xe000) c = 0x20ac;
    if (c < 0x80) {
      text[size++] = (char)c;
    } else if (c < 0x800) {
      text[size++] = (char)(0xc0 | c >> 6);
      text[size++] = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
      text[size++] = (char)(0xe0 | c >> 12);
      text[size++] = (char)(0x80 | (c >> 6 & 63));
      text[size++] = (char)(0x80 | (c & 63));
    } else {
      text[size++] = (char)(0xf0 | c >> 18);
      text[size++] = (char)(0x80 | (c >> 12 & 63));
      text[size++] = (char)(0x80 | (c >> 6 & 63));
      text[size++] = (char)(0x80 | (c & 63));
    }
  }
  return size;
}

// Returns what put returned: a key may be there already.
static mproc_status_t MakeScalar(mproc_value_t* value) {
  char text[64];
  uint64_t bits = Random();
  double real;
  switch (Random() % 7) {
    case 0:
      return mproc_value_put_nil(value);
    case 1:
      return mproc_value_put_bool(value, (int32_t)(bits & 2));
    case 2:
      return mproc_value_put_int(value, bits & 1 ? (int64_t)RandomNumber() : -(int64_t)(RandomNumber() >> 1));
    case 3:
      return mproc_value_put_uint(value, RandomNumber());
    case 4:
      if (bits & 1) bits = (Random() & 1) << 63 | (uint64_t)0x7ff << 52 | (bits & 4);  // infinities and NaN
      memcpy(&real, &bits, sizeof real);
      return mproc_value_put_double(value, real);
    case 5:
      return mproc_value_put_string(value, text, RandomText(text));
    default:
      return mproc_value_put_bytes(value, &bits, Random() % 9);
  }
}

static void Make(mproc_value_t* value, int depth) {
  uint64_t what = Random() % 10, count = Random() % 6, numbers[8];
  if (depth == 0 && Random() % 2) what = 7;
  if (depth > 8) what = 0;
  if (what < 7) {
    OK(MakeScalar(value));
  } else if (what == 7) {
    OK(mproc_value_begin_list(value));
    for (; count; count--) Make(value, depth + 1);
    OK(mproc_value_end(value));
  } else if (what == 8) {
    OK(mproc_value_begin_map(value));
    for (; count; count--) {
      mproc_status_t put = MakeScalar(value);
      if (put == MPROC_ERROR_DUPLICATE) continue;
      OK(put);
      Make(value, depth + 1);
    }
    OK(mproc_value_end(value));
  } else {
    for (int i = 0; i < 8; i++) numbers[i] = Random();
    OK(mproc_value_put_array(value, 1 + (int32_t)(Random() % 10), numbers, Random() % 8));
  }
}

int main(int argc, char** argv) {
  mproc_value_t *value, *copy;
  OK(mproc_value_create(&value));
  OK(mproc_value_create(&copy));
  if (argc == 2 && strcmp(argv[1], "echo") == 0) {
    Echo(value, copy);
  } else {
    Check(argc == 4, "usage: value_peer echo | make SEED COUNT");
    g_state = strtoull(argv[2], NULL, 10);
    for (uint64_t count = strtoull(argv[3], NULL, 10); count; count--) {
      OK(mproc_value_clear(value));
      Make(value, 0);
      Answer(value, copy);
    }
  }
  OK(mproc_value_destroy(value));
  OK(mproc_value_destroy(copy));
  free(g_text);
  return fflush(stdout) == 0 ? 0 : 1;
}
