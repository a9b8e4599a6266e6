/**
 * The paper's theorems and lemmas, computed: each {@link plateau.theory.Statement} is a value that
 * measures, on the device, what the paper bounds, and judges it by a rule that is stated beside it.
 * {@link plateau.theory.Findings} are what a folder holds of them.
 */
package plateau.theory;
