// SPDX-License-Identifier: MIT
// Node as the command of a pool, by koffi, in the pull form: LIBRARY [die]. The functions are those of
// command_worker.c.
'use strict';
const koffi = require('koffi');

if (process.argv[3] === 'die') throw new Error('no such thing');

const lib = koffi.load(process.argv[2]);
const tableCreate = lib.func('int32_t mproc_table_create(_Out_ void **table)');
const tableAdd = lib.func('int32_t mproc_table_add(void *table, uint32_t id, const char *name, void *function, void *user_data)');
const workerNext = lib.func('int32_t mproc_worker_next(void *table, int64_t limit, _Out_ void **call, _Out_ void **input, ' +
  '_Out_ size_t *size)');
const workerReply = lib.func('int32_t mproc_worker_reply(void *call, const uint8_t *data, size_t size)');
const workerFail = lib.func('int32_t mproc_worker_fail(void *call, int32_t code, const char *type, const char *message, ' +
  'const char *trace)');
const functionId = lib.func('uint32_t mproc_call_function_id(void *call)');
const FOREVER = 0x7fffffffffffffffn;

const functions = [
  function double(data) {
    const number = Buffer.alloc(8);
    number.writeBigInt64LE(2n * data.readBigInt64LE());
    return number;
  },
  function environment(data) {
    return Buffer.from(data.length > 0 ? process.env[data.toString()] : process.cwd());
  },
  function crash() {
    process.kill(process.pid, 'SIGSEGV');
  },
  function hang() {
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
  function print(data) {
    process.stderr.write(data);
    return Buffer.alloc(0);
  },
];

function must(status) {
  if (status !== 0) throw new Error(`status ${status}`);
}

const table = [null], call = [null], input = [null], size = [0];
must(tableCreate(table));
functions.forEach((run, i) => must(tableAdd(table[0], i + 1, run.name, null, null)));
for (;;) {
  must(workerNext(table[0], FOREVER, call, input, size));
  if (call[0] === null) break;
  const length = Number(size[0]);
  const data = Buffer.from(length > 0 ? koffi.decode(input[0], koffi.array('uint8_t', length, 'Typed')) : []);
  try {
    const value = functions[functionId(call[0]) - 1](data);
    must(workerReply(call[0], value, value.length));
  } catch (error) {
    must(workerFail(call[0], 7, error.name, error.message, error.stack));
  }
}
