/** One file per experiment: options, data, model, loss, metrics and defaults in reading order. */
package plateau.experiment;
