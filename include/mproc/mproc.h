// SPDX-License-Identifier: MIT
// libmproc: pools of worker processes that run functions of a table by id.
//
// Conventions, for all headers:
//  * A function returns an mproc_status_t: MPROC_OK or a negative error; out parameters are written only on
//    success unless the comment says otherwise. A few getters that cannot fail return their value.
//  * A handle (mproc_x_t*) is opaque. Whoever creates it destroys or releases it, once; null is fine there.
//    Null elsewhere is INVALID_ARGUMENT, something that is no handle of the kind INVALID_HANDLE, one that
//    was destroyed STALE_HANDLE, one of the parent process in a child that the host forked FORKED. These
//    four are not repeated in every comment.
//  * Any function may be called from any thread, and from a callback, unless its comment says otherwise.
//  * If a call that takes a callback returns an error, the callback never runs; if it returns OK, exactly
//    one of callback and error callback runs, exactly once. The callback's last argument is the user_data
//    given with it.
//  * Bytes are a pointer and a size; the pointer may be null if the size is 0. What goes in is copied
//    unless the comment says "borrowed"; what comes out is the library's and the comment says until when.
//  * Texts are UTF-8 and end with a zero byte.
//  * Time limits are nanoseconds from now; MPROC_FOREVER has no limit; 0 and less do not wait (status.h).
//  * Nothing unwinds through the library: no longjmp, no exception, no panic out of a callback.
#ifndef MPROC_MPROC_H
#define MPROC_MPROC_H

#include <mproc/array.h>
#include <mproc/barrier.h>
#include <mproc/block.h>
#include <mproc/bound.h>
#include <mproc/call.h>
#include <mproc/condition.h>
#include <mproc/connection.h>
#include <mproc/event.h>
#include <mproc/export.h>
#include <mproc/future.h>
#include <mproc/imap.h>
#include <mproc/listener.h>
#include <mproc/lock.h>
#include <mproc/log.h>
#include <mproc/map.h>
#include <mproc/memory.h>
#include <mproc/message.h>
#include <mproc/object.h>
#include <mproc/options.h>
#include <mproc/pool.h>
#include <mproc/process.h>
#include <mproc/process_options.h>
#include <mproc/queue.h>
#include <mproc/runtime.h>
#include <mproc/segment.h>
#include <mproc/semaphore.h>
#include <mproc/shareable_list.h>
#include <mproc/starmap.h>
#include <mproc/start.h>
#include <mproc/status.h>
#include <mproc/table.h>
#include <mproc/value.h>
#include <mproc/wait.h>
#include <mproc/worker.h>
#include <mproc/worker_options.h>

#endif
