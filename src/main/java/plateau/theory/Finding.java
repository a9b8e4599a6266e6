package plateau.theory;

import java.util.List;
import plateau.results.Table;

/**
 * What came of a statement.
 *
 * @param checks its sentences, judged
 * @param table the numbers behind them
 * @param drawings its figures
 * @param notes where the paper and the computation do not say the same
 */
public record Finding(List<Check> checks, Table table, List<Drawing> drawings, List<String> notes) {

    /** Copies the lists. */
    public Finding {
        checks = List.copyOf(checks);
        drawings = List.copyOf(drawings);
        notes = List.copyOf(notes);
    }
}
