package plateau.report.paper;

import java.nio.file.Path;
import plateau.figure.Figure;

/**
 * A figure of the paper, drawn from our runs.
 *
 * @param name of its files
 * @param title "Figure 1", or what it shows where the paper has none
 * @param caption what there is to see
 * @param figure its panels, in the paper's layout and colours; null where a command has drawn it
 * @param drawn the PNG that a command has drawn, beside which its SVG lies; null where there are
 *     panels
 */
public record PaperFigure(String name, String title, String caption, Figure figure, Path drawn) {

    /** Of panels. */
    PaperFigure(String name, String title, String caption, Figure figure) {
        this(name, title, caption, figure, null);
    }

    /** Of what a command has drawn. */
    static PaperFigure copy(String name, String title, String caption, Path drawn) {
        return new PaperFigure(name, title, caption, null, drawn);
    }
}
