package plateau.check;

/**
 * What a case's outputs are worth.
 *
 * @param error the largest, in units of what is allowed: right up to 1
 * @param worst where it is and what stands there
 */
record Finding(double error, String worst) {
    /** Of what is as it should be. */
    static final Finding NONE = new Finding(0, "");

    /** Of what may not be at all. */
    static Finding wrong(String what) {
        return new Finding(Double.POSITIVE_INFINITY, what);
    }

    boolean isRight() {
        return error <= 1;
    }

    /** The worse one. */
    Finding or(Finding other) {
        return other.error > error ? other : this;
    }
}
