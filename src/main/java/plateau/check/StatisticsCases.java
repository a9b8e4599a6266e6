package plateau.check;

import java.util.List;
import plateau.kernel.Statistics;

/** Sums over rows and columns against plain ones. */
final class StatisticsCases {
    private static final double TOLERANCE = 1e-13;

    private StatisticsCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("row_moments", StatisticsCases::rowMoments),
                Row.random("row_sums", StatisticsCases::rowSums),
                Row.random("column_moments", StatisticsCases::columnMoments),
                Row.random("gram", StatisticsCases::gram),
                Row.random("mean_at", StatisticsCases::meanAt));
    }

    private static void rowMoments(KernelCase made, Draws draws) {
        int rows = draws.choose(1, 2, 33), n = draws.size();
        float[] x = draws.floats(rows * n);
        Sums moments = new Sums(2 * rows);
        for (int i = 0; i < x.length; i++) {
            moments.add(2 * (i / n), x[i]);
            moments.add(2 * (i / n) + 1, (double) x[i] * x[i]);
        }
        made.shape("rows %d, n %d".formatted(rows, n));
        made.runs(new Statistics(made.device())
                .rowMoments(
                        rows,
                        n,
                        made.input(x),
                        made.doubles("moments", null, moments.values(), moments.allowed(TOLERANCE))));
    }

    private static void rowSums(KernelCase made, Draws draws) {
        int rows = draws.choose(1, 2, 33), n = draws.size();
        double[] x = draws.random().doubles(rows * n, -1, 1).toArray();
        Sums sums = new Sums(rows);
        for (int i = 0; i < x.length; i++) {
            sums.add(i / n, x[i]);
        }
        made.shape("rows %d, n %d".formatted(rows, n));
        made.runs(new Statistics(made.device())
                .rowSums(rows, n, made.input(x), made.doubles("sums", null, sums.values(), sums.allowed(TOLERANCE))));
    }

    private static void columnMoments(KernelCase made, Draws draws) {
        int rows = draws.choose(1, 2, 33, 100), columns = draws.size();
        float[] x = draws.floats(rows * columns);
        Sums moments = new Sums(2 * columns);
        for (int i = 0; i < x.length; i++) {
            moments.add(2 * (i % columns), x[i]);
            moments.add(2 * (i % columns) + 1, (double) x[i] * x[i]);
        }
        made.shape("rows %d, columns %d".formatted(rows, columns));
        made.runs(new Statistics(made.device())
                .columnMoments(
                        rows,
                        columns,
                        made.input(x),
                        made.doubles("moments", null, moments.values(), moments.allowed(TOLERANCE))));
    }

    private static void gram(KernelCase made, Draws draws) {
        int rows = draws.choose(1, 2, 5, 17), n = draws.size();
        float[] x = draws.floats(rows * n);
        Sums products = new Sums(rows * rows);
        for (int a = 0; a < rows; a++) {
            for (int b = 0; b < rows; b++) {
                for (int i = 0; i < n; i++) {
                    products.add(a * rows + b, (double) x[a * n + i] * x[b * n + i]);
                }
            }
        }
        made.shape("rows %d, n %d".formatted(rows, n));
        made.runs(new Statistics(made.device())
                .gram(
                        rows,
                        n,
                        made.input(x),
                        made.doubles("gram", null, products.values(), products.allowed(TOLERANCE))));
    }

    /** Every other place keeps what it had. */
    private static void meanAt(KernelCase made, Draws draws) {
        int n = draws.size(), places = 7, step = draws.random().nextInt(places);
        float[] x = draws.floats(n);
        double[] before = draws.random().doubles(places).toArray(),
                after = before.clone(),
                allowed = new double[places];
        double sum = 0, size = 0;
        for (float value : x) {
            sum += value;
            size += Math.abs(value);
        }
        after[step] = sum / n;
        allowed[step] = TOLERANCE * size / n;
        made.shape("n %d, step %d".formatted(n, step));
        made.runs(new Statistics(made.device())
                .meanAt(n, made.input(x), made.input(step), made.doubles("means", before, after, allowed)));
    }
}
