/**
 * CUDA as typed objects: a {@link plateau.cuda.Device} and what it makes, which is memory, streams,
 * events, graphs, modules of kernels, and their prepared launches. With {@link plateau.cuda.load}
 * the only package that knows JCuda; set-up goes through it, and what runs at every step (launch,
 * graph launch, fill, copy) through the Foreign Function &amp; Memory API.
 *
 * <p>Memory, streams, events and graphs are closed by whoever asked for them, before the device,
 * which unloads its modules itself. {@link plateau.cuda.Device#live()} counts what has not been
 * closed.
 *
 * <h2>Threads</h2>
 *
 * <p>CUDA keeps the current context per thread. {@link plateau.cuda.Device#open} makes the device's
 * context current on the thread that calls it; every other thread calls
 * {@link plateau.cuda.Device#makeCurrent} once, before it enqueues work or waits for it, and again
 * after it has done so on another device. Without it that fails with CUDA_ERROR_INVALID_CONTEXT or
 * CUDA_ERROR_INVALID_HANDLE. What a device makes, writes, reads and closes needs no context: it is
 * done in its own, and the thread keeps the one that it had.
 *
 * <ul>
 *   <li>May be shared between threads: Device, KernelModule, Kernel, Launch and every other Work
 *       but a GraphExec, Blas. A Launch can be enqueued on several streams at once, if what it
 *       writes allows it.
 *   <li>By one thread at a time: Stream, Event, Graph, GraphExec, PinnedBuffer. The usual way is a
 *       stream per thread. While a stream captures, its thread does nothing that waits or
 *       allocates; other threads may.
 *   <li>A DeviceBuffer can be named by any thread, but nothing orders what they do with it: streams
 *       and events do. It is closed once, when no thread uses it any more.
 * </ul>
 *
 * <p>Work is asynchronous: an error of a kernel is thrown where its stream is next waited for.
 */
package plateau.cuda;
