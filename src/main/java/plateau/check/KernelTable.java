package plateau.check;

import java.util.List;
import java.util.stream.Stream;

/** The table: each kernel has a row, or several. */
final class KernelTable {
    /** All rows, those of one operation beside each other. */
    static final List<Row> ROWS = Stream.of(
                    DataCases.rows(),
                    DenseCases.rows(),
                    Conv1dCases.rows(),
                    Conv2dCases.rows(),
                    SigmoidCases.rows(),
                    HingeCases.rows(),
                    LossesCases.rows(),
                    StepCases.rows(),
                    PwlCases.rows(),
                    StocksCases.rows(),
                    SparseRowsCases.rows(),
                    SignalToNoiseCases.rows(),
                    UpdatesCases.rows(),
                    MetricsCases.rows(),
                    TupleCases.rows(),
                    WalshHadamardCases.rows(),
                    StatisticsCases.rows(),
                    SpectraCases.rows(),
                    LandscapeCases.rows())
            .flatMap(List::stream)
            .toList();

    private KernelTable() {}
}
