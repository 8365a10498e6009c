// SPDX-License-Identifier: MIT
// How a public function is marked. Included by every other header; nothing here is for callers.
#ifndef MPROC_EXPORT_H
#define MPROC_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define MPROC_EXPORT __attribute__((visibility("default")))
#else
#define MPROC_EXPORT
#endif

#ifdef __cplusplus
#define MPROC_API extern "C" MPROC_EXPORT
#else
#define MPROC_API MPROC_EXPORT
#endif

#endif
