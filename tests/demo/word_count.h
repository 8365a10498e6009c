// SPDX-License-Identifier: MIT
// Lines, words and bytes, counted as GNU wc does in the C locale, of bytes that come in pieces.
#ifndef MPROC_DEMO_WORD_COUNT_H
#define MPROC_DEMO_WORD_COUNT_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint64_t lines, words, bytes;
  int in_word;
} WordCount;

// To be begun as {0}.
void WordCountAdd(WordCount* count, const void* data, size_t size);

#endif
