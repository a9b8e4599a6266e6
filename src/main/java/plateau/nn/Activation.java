package plateau.nn;

/** What is fused into the end of a layer. */
public enum Activation {
    /** Nothing. */
    LINEAR,
    /** max(0, ·). */
    RELU
}
