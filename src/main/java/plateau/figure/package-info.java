/**
 * Figures as values: panels, axes, curves. What draws them, as files or on a page, lies in
 * {@code plateau.report}.
 */
package plateau.figure;
