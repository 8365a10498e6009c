// SPDX-License-Identifier: MIT
// A pool of C functions in Node's own event loop, by koffi (npm install koffi): the pool's descriptor is a stream
// that tells when results wait; calls are promises, and the loop stays free.
//   node node_pool.mjs ./module.so
import net from 'node:net';
import process from 'node:process';
import koffi from 'koffi';

const lib = koffi.load(process.env.MPROC_LIBRARY ?? 'libmproc.so.0');
const statusName = lib.func('const char *mproc_status_name(int32_t status)');
const lastError = lib.func('const char *mproc_last_error_message()');
const optionsCreate = lib.func('int32_t mproc_pool_options_create(_Out_ void **options)');
const setModule = lib.func('int32_t mproc_pool_options_set_module(void *options, const char *path)');
const setCallbacks = lib.func('int32_t mproc_pool_options_set_callbacks(void *options, int32_t mode)');
const optionsDestroy = lib.func('int32_t mproc_pool_options_destroy(void *options)');
const poolCreate = lib.func('int32_t mproc_pool_create(void *options, _Out_ void **pool)');
const poolFd = lib.func('int32_t mproc_pool_fd(void *pool, _Out_ int32_t *fd)');
const submit = lib.func('int32_t mproc_pool_submit_callback(void *pool, uint32_t id, const uint8_t *data, size_t size, ' +
  'int64_t limit, void *callback, void *error_callback, uintptr_t user_data, void *future)');
const next = lib.func('int32_t mproc_pool_next(void *pool, int64_t limit, _Out_ void **future, _Out_ uintptr_t *user_data)');
const poolDestroy = lib.func('int32_t mproc_pool_destroy(void *pool)');
const futureResult = lib.func('int32_t mproc_future_result(void *future, _Out_ void **data, _Out_ size_t *size)');
const futureError = lib.func('int32_t mproc_future_error(void *future)');
const futureRelease = lib.func('int32_t mproc_future_release(void *future)');
const NEXT = 2, SQUARE = 1, CRASH = 2, AT_ONCE = 100;

function must(status) {
  if (status !== 0) throw new Error(`${statusName(status)} ${lastError()}`);
}

class Pool {
  #handle; #stream; #waiting = new Map(); #lastTag = 0;

  constructor(module) {
    const options = [null], pool = [null], fd = [0];
    must(optionsCreate(options));
    must(setModule(options[0], module));
    must(setCallbacks(options[0], NEXT));
    must(poolCreate(options[0], pool));
    must(optionsDestroy(options[0]));
    this.#handle = pool[0];
    must(poolFd(this.#handle, fd));
    this.#stream = new net.Socket({ fd: fd[0], readable: true, writable: false });  // closes it in the end
    this.#stream.on('data', () => this.#take());
  }

  call(id, data = new Uint8Array()) {
    const tag = ++this.#lastTag;
    must(submit(this.#handle, id, data, data.length, 0, null, null, tag, null));
    return new Promise((resolve, reject) => this.#waiting.set(tag, { resolve, reject }));
  }

  // Takes some of the results; if more wait, the library makes the stream readable again.
  #take() {
    const future = [null], tag = [0], data = [null], size = [0];
    for (let i = 0; i < AT_ONCE && next(this.#handle, 0, future, tag) === 0; i++) {
      const { resolve, reject } = this.#waiting.get(Number(tag[0]));
      this.#waiting.delete(Number(tag[0]));
      if (futureResult(future[0], data, size) === 0) {
        resolve(Buffer.from(koffi.decode(data[0], koffi.array('uint8_t', Number(size[0]), 'Typed'))));
      } else {
        const status = futureError(future[0]);
        reject(new Error(`${statusName(status)} ${lastError()}`));
      }
      futureRelease(future[0]);
    }
  }

  close() {
    this.#stream.destroy();
    must(poolDestroy(this.#handle));
  }
}

function int64(number) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(number));
  return bytes;
}

const pool = new Pool(process.argv[2]);
const TASKS = 10000, PERIOD = 10;
let late = 0, due = performance.now() + PERIOD;
const timer = setInterval(() => {
  late = Math.max(late, performance.now() - due);
  due = performance.now() + PERIOD;
}, PERIOD);
const calls = [];
for (let i = 1; i <= TASKS; i++) {
  calls.push(pool.call(SQUARE, int64(i)));
  if (i % AT_ONCE === 0) await new Promise(setImmediate);  // a loop is free only if nobody holds it
}
const sum = (await Promise.all(calls)).reduce((total, bytes) => total + bytes.readBigInt64LE(), 0n);
console.log(`${TASKS} squares, sum ${sum}`);
await new Promise((resolve) => setTimeout(resolve, 2 * PERIOD));
clearInterval(timer);
console.log(`the timer was late by ${late.toFixed(1)} ms at most`);
await pool.call(CRASH).catch((error) => console.log(error.message));
pool.close();
