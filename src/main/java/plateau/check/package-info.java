/**
 * Whether the kernels are right on a device: one table of cases, in which every kernel has a row,
 * its inputs drawn at random shapes and what comes out told by a float64 reference, or, of kernels
 * that draw data, by the SHA-256 of their bits. The command {@code plateau kernels check} runs it
 * on the device it is given; the tests run it on every build and at every size of block.
 *
 * <p>A case takes nothing for granted that only one driver gives: memory is filled before a kernel
 * sees it, and is surrounded by words that must not change. Shapes of launches are those of {@link
 * plateau.kernel}.
 */
package plateau.check;
