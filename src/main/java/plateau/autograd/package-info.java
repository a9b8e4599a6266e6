/**
 * Reverse-mode differentiation over static shapes: tensors, the tape that orders operations,
 * operations with forward and backward side by side, parameters and their optimisers.
 */
package plateau.autograd;
