/**
 * Typed launchers, one class for each file of kernels. A launcher knows its kernels' arguments and
 * the shapes they are launched in; it compares the buffers it is given with the shapes it needs,
 * and returns a prepared {@link plateau.cuda.Work}, to be enqueued as often as one likes. It
 * allocates no device memory. A buffer that is too small, or null where null is not said to stand
 * for none, is an IllegalArgumentException that names launcher and argument.
 *
 * <p>Matrices are row-major. Buffers are float32 unless a method says otherwise, and may be larger
 * than what is used of them.
 *
 * <p>Threads: a launcher belongs to a device, keeps nothing else, and may be shared between threads
 * on which that device is current ({@link plateau.cuda.Device#makeCurrent}). Two launches that
 * write the same memory belong on one stream.
 */
package plateau.kernel;
