package plateau.figure;

import java.util.List;

/**
 * Panels in rows.
 *
 * @param columns panels in a row
 * @param panels in reading order
 */
public record Figure(int columns, List<Panel> panels) {

    /** Copies the list. */
    public Figure {
        panels = List.copyOf(panels);
    }

    /** One panel. */
    public Figure(Panel panel) {
        this(1, List.of(panel));
    }

    /** Rows of panels, the last one perhaps not full. */
    public int rows() {
        return Math.ceilDiv(panels.size(), columns);
    }
}
