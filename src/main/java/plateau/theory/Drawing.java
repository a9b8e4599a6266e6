package plateau.theory;

import plateau.figure.Figure;

/**
 * A figure of a statement.
 *
 * @param name of its files
 * @param title above it
 * @param caption what there is to see
 * @param figure its panels
 */
public record Drawing(String name, String title, String caption, Figure figure) {}
