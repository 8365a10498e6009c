// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4) of bytes that come in pieces.
#ifndef MPROC_DEMO_SHA256_H
#define MPROC_DEMO_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint32_t state[8];
  uint64_t length;  // bytes so far
  uint8_t block[64];
} Sha256;

void Sha256Start(Sha256* sha);
void Sha256Add(Sha256* sha, const void* data, size_t size);
// Writes the digest as 64 hexadecimal digits and a zero byte.
void Sha256End(Sha256* sha, char text[65]);

#endif
