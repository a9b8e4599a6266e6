package plateau.report.paper;

import plateau.report.Figure;

/**
 * A figure of the paper, drawn from our runs.
 *
 * @param name of its files
 * @param title "Figure 1", or what it shows where the paper has none
 * @param caption what there is to see
 * @param figure its panels, in the paper's layout and colours
 */
public record Drawing(String name, String title, String caption, Figure figure) {}
