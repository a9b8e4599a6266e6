/** Layers and the first values of their parameters. */
package plateau.nn;
