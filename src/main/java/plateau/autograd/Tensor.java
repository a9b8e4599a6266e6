package plateau.autograd;

import plateau.cuda.DeviceBuffer;

/**
 * Float32 values of fixed shape on a device. Where its gradient lies is decided by
 * {@link Tape#backward}; a tensor only names the values.
 *
 * <p>A <em>rectified</em> tensor was written by an operation with a fused ReLU. Its gradient is
 * taken with respect to the value <em>before</em> the ReLU, so each operation that reads it zeroes
 * its contribution where the value is not positive. That way no kernel has to run for the mask
 * alone.
 */
public final class Tensor {
    private final String name;
    private final Shape shape;
    private final DeviceBuffer values;
    private final boolean rectified;
    private final Tensor base;

    private Tensor(String name, Shape shape, DeviceBuffer values, boolean rectified, Tensor base) {
        long bytes = (long) Float.BYTES * shape.elements();
        if (values.bytes() < bytes) {
            throw new IllegalArgumentException("%s: %s floats do not fit %d bytes".formatted(name, shape, values.bytes()));
        }
        this.name = name;
        this.shape = shape;
        this.values = values;
        this.rectified = rectified;
        this.base = base == null ? this : base;
    }

    /** A tensor over values that somebody else owns. */
    public static Tensor of(String name, Shape shape, DeviceBuffer values) {
        return new Tensor(name, shape, values, false, null);
    }

    /** As {@link #of}, for the output of a fused ReLU. */
    public static Tensor rectified(String name, Shape shape, DeviceBuffer values) {
        return new Tensor(name, shape, values, true, null);
    }

    /**
     * The same values and the same gradient in another shape.
     *
     * @throws IllegalArgumentException if the number of elements differs
     */
    public Tensor reshape(int... sizes) {
        Shape other = Shape.of(sizes);
        if (other.elements() != shape.elements()) {
            throw new IllegalArgumentException("%s: cannot reshape %s to %s".formatted(name, shape, other));
        }
        return new Tensor(name, other, values, rectified, base);
    }

    /** For messages. */
    public String name() {
        return name;
    }

    /** The sizes; see {@link Shape}. */
    public Shape shape() {
        return shape;
    }

    /** The first size. */
    public int rows() {
        return shape.rows();
    }

    /** The elements of one row. */
    public int columns() {
        return shape.columns();
    }

    /** The values on the device. */
    public DeviceBuffer values() {
        return values;
    }

    /** Whether a ReLU is fused into the operation that writes this tensor. */
    public boolean rectified() {
        return rectified;
    }

    /** The ReLU's output, which masks gradients, or null where there is nothing to mask. */
    public DeviceBuffer mask() {
        return rectified ? values : null;
    }

    /**
     * The tensor that this one is a view of: itself, unless it was reshaped. Views share one
     * gradient.
     */
    Tensor base() {
        return base;
    }

    @Override
    public String toString() {
        return name + " (" + shape + ")";
    }
}
