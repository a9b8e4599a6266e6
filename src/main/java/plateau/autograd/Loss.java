package plateau.autograd;

/**
 * An operation that ends a network: its one output holds the loss of each sample, (rows, 1), and what is differentiated is the mean over the rows
 * times a weight of its own. Several losses on one tape add up.
 *
 * <p>Its {@link #backward} starts from nothing and also computes the loss values, so that a training step needs one launch where an evaluation needs
 * {@link #forward} alone.
 */
public interface Loss extends Operation {

    /** The loss of each sample. */
    default Tensor output() {
        return outputs().getFirst();
    }
}
