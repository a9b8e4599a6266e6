package plateau.autograd;

/**
 * An operation that ends a network: its one output holds the loss of each sample, (rows, 1), and
 * what is differentiated is the mean over the rows. Several losses on one tape add up.
 *
 * <p>Its {@link #backward} starts from nothing and also computes the loss values, so that a
 * training step needs one launch where an evaluation needs {@link #forward} alone.
 */
public interface Loss extends Operation {}
