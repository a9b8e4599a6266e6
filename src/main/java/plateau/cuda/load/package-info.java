/**
 * Finds and unpacks what {@link plateau.cuda} runs on: NVIDIA's libraries or this project's own for
 * the CPU, and the kernels' images. {@link plateau.cuda.load.DeviceOptions} says what is wanted,
 * {@link plateau.cuda.load.Libraries} what this process uses, {@link plateau.cuda.load.Inventory}
 * what this machine has. {@link plateau.cuda.load.NativeFiles} are those that the program brings
 * along, in the list that the build wrote; from a jar they go through the cache, a folder of one
 * user.
 *
 * <p>A process uses one driver. The first device that is opened decides which, before JCuda is
 * initialised; everything here may be called from any thread.
 */
package plateau.cuda.load;
