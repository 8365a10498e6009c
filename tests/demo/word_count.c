// SPDX-License-Identifier: MIT
#include "word_count.h"

static int IsSpace(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static int IsPrint(uint8_t c) { return c > ' ' && c < 0x7f; }

// A run between white space is a word if a printable byte is in it; other bytes neither make nor end one.
void WordCountAdd(WordCount* count, const void* data, size_t size) {
  const uint8_t* bytes = data;
  for (size_t i = 0; i < size; i++) {
    uint8_t c = bytes[i];
    count->lines += c == '\n';
    if (IsSpace(c)) {
      count->in_word = 0;
    } else if (IsPrint(c)) {
      count->words += !count->in_word;
      count->in_word = 1;
    }
  }
  count->bytes += size;
}
