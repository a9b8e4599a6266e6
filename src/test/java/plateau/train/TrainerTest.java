package plateau.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.cuda.LiveObjects;
import plateau.experiment.Approach;
import plateau.experiment.Experiment;
import plateau.experiment.Parity;
import plateau.experiment.Step;
import plateau.experiment.Stocks;
import plateau.kernel.Dense;
import plateau.reference.TestDevice;
import plateau.results.LogRow;

class TrainerTest {
    private static final Parity SMALL = new Parity(Parity.Options.of(6), 1);

    private Device device;
    private Kernels kernels;
    private LiveObjects before;

    @BeforeEach
    void open() {
        device = TestDevice.open();
        kernels = Kernels.of(device, Dense.Products.AUTO);
        before = device.live();
    }

    /** Whatever a test did, its runs have released everything. */
    @AfterEach
    void nothingIsLeft() {
        assertEquals(before, device.live());
        device.close();
        assertEquals(new LiveObjects(0, 0, 0, 0, 0), device.live());
    }

    /** What a run leaves: its parameters and its rows. */
    private record Outcome(float[] parameters, List<LogRow> rows) {
        /** The rows at multiples of {@code steps}: those that two schedules have in common. */
        List<LogRow> rowsEvery(long steps) {
            return rows.stream().filter(row -> row.step() % steps == 0).toList();
        }
    }

    private static RunListener rowsInto(List<LogRow> rows) {
        return new RunListener() {
            @Override
            public void onLog(LogRow row) {
                rows.add(row);
            }
        };
    }

    private Outcome train(Experiment experiment, Trainer.Options options) {
        try (Trainer trainer = new Trainer(kernels, experiment, options)) {
            List<LogRow> rows = new ArrayList<>();
            trainer.run(rowsInto(rows));
            return new Outcome(trainer.parameters(), rows);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 7", "4, 7", "4, 100", "16, 1", "16, 7", "16, 100", "64, 300"})
    void replayEqualsEagerWhateverTheSchedule(int unroll, int logEvery) {
        Outcome eager = train(SMALL, new Trainer.Options(new Schedule(210, 7), 1, false));
        Outcome replay = train(SMALL, new Trainer.Options(new Schedule(210, logEvery), unroll, true));
        assertArrayEquals(eager.parameters, replay.parameters);
        assertEquals(Math.ceilDiv(210, logEvery), replay.rows.size());
        assertEquals(eager.rowsEvery(7L * logEvery), replay.rowsEvery(7L * logEvery));
        assertEquals(eager.rows.getLast(), replay.rows.getLast());
    }

    /** More steps than the ring of training metrics holds. */
    @Test
    void longIntervalsAreReadInBetween() {
        Outcome often = train(SMALL, Trainer.Options.of(5000, 1000));
        Outcome once = train(SMALL, Trainer.Options.of(5000, 5000));
        assertArrayEquals(often.parameters, once.parameters);
        assertEquals(List.of(often.rows.getLast()), once.rows);
    }

    @Test
    void seedDecidesTheRun() {
        Trainer.Options options = Trainer.Options.of(20, 10);
        Outcome one = train(SMALL, options);
        assertArrayEquals(one.parameters, train(SMALL, options).parameters);
        assertNotEquals(one.rows, train(new Parity(Parity.Options.of(6), 2), options).rows);
    }

    @Test
    void aTrainerRunsAgainWithTheSameResult() {
        try (Trainer trainer = new Trainer(kernels, SMALL, Trainer.Options.of(50, 20))) {
            List<LogRow> first = new ArrayList<>();
            trainer.run(rowsInto(first));
            List<LogRow> second = new ArrayList<>();
            trainer.run(rowsInto(second));
            assertEquals(first, second);
            assertEquals(
                    List.of(20L, 40L, 50L), first.stream().map(LogRow::step).toList());
        }
    }

    @Test
    void listenersSeeEachRowAndTheResult() {
        List<LogRow> rows = new ArrayList<>();
        List<RunResult> results = new ArrayList<>();
        Trainer.run(kernels, SMALL, Trainer.Options.of(25, 10), new RunListener() {
            @Override
            public void onLog(LogRow row) {
                rows.add(row);
            }

            @Override
            public void onFinish(RunResult result) {
                results.add(result);
            }
        });
        assertEquals(1, results.size());
        RunResult result = results.getFirst();
        assertEquals(List.of(10L, 20L, 25L), rows.stream().map(LogRow::step).toList());
        assertEquals(rows.getLast(), result.last());
        assertTrue(result.stepsPerSecond() >= result.stepsPerSecondWithEvaluation());
        assertEquals(25 / result.seconds(), result.stepsPerSecondWithEvaluation(), 1e-9);
    }

    /**
     * Rows of the weights that are read at evaluations only, and those that are not, end in the
     * same bits whatever the schedule.
     */
    @ParameterizedTest
    @EnumSource(Approach.class)
    void readingRowsLeavesNoTrace(Approach mode) {
        Stocks stocks = new Stocks(Stocks.Options.of(33, mode), 1);
        Outcome eager = train(stocks, new Trainer.Options(new Schedule(60, 1), 1, false));
        Outcome replay = train(stocks, new Trainer.Options(new Schedule(60, 20), 16, true));
        assertArrayEquals(eager.parameters, replay.parameters);
        assertEquals(eager.rowsEvery(20), replay.rows);
    }

    /**
     * Every variant of the step functions: the same bits from graphs and eagerly, and curves of the
     * test batch beside each row.
     */
    @ParameterizedTest
    @EnumSource(Step.Variant.class)
    void curvesComeWithEachRow(Step.Variant variant) {
        Step step = new Step(Step.Options.of(variant), 1);
        Outcome eager = train(step, new Trainer.Options(new Schedule(20, 10), 1, false));
        List<Long> seen = new ArrayList<>();
        Trainer.run(kernels, step, Trainer.Options.of(20, 10), new RunListener() {
            @Override
            public void onLog(LogRow row) {
                assertEquals(eager.rows.get(seen.size()), row);
            }

            @Override
            public void onCurves(long done, Map<String, float[]> curves) {
                seen.add(done);
                List<String> names = new ArrayList<>(List.of("score", "label", "hypothesis"));
                if (variant == Step.Variant.APPROXIMATION) {
                    names.add("smooth");
                }
                assertEquals(names, List.copyOf(curves.keySet()));
                curves.forEach((name, values) -> assertEquals(2560, values.length, name));
            }
        });
        assertEquals(List.of(10L, 20L), seen);
    }

    @Test
    void nonFiniteLossStopsTheRunAndNamesTheStep() {
        // One update makes weights of about 1e29, whose products overflow float32.
        Parity diverging = new Parity(new Parity.Options(6, null, 128, 1e30f), 1);
        List<LogRow> rows = new ArrayList<>();
        RunListener listener = new RunListener() {
            @Override
            public void onLog(LogRow row) {
                rows.add(row);
            }
        };
        NonFiniteLossException e = assertThrows(
                NonFiniteLossException.class,
                () -> Trainer.run(kernels, diverging, Trainer.Options.of(1000, 1), listener));
        assertEquals(List.of(), rows, "the test after the first step fails already");
        assertEquals(1, e.step());
        assertTrue(e.getMessage().contains("at step " + e.step()), e.getMessage());

        // Seen through a longer interval, it is the same training step that is named.
        NonFiniteLossException later = assertThrows(
                NonFiniteLossException.class,
                () -> Trainer.run(kernels, diverging, Trainer.Options.of(1000, 100), RunListener.NONE));
        assertEquals(e.step(), later.step());
    }

    @Test
    void aFailingListenerEndsTheRunAndLeaksNothing() {
        RunListener failing = new RunListener() {
            @Override
            public void onLog(LogRow row) {
                throw new IllegalStateException("disk full");
            }
        };
        assertThrows(
                IllegalStateException.class, () -> Trainer.run(kernels, SMALL, Trainer.Options.of(100, 10), failing));
    }

    @Test
    void runsOnThreadsOfTheirOwnDoNotDisturbEachOther() throws Exception {
        Outcome alone = train(SMALL, Trainer.Options.of(200, 50));
        Callable<Outcome> run = () -> {
            device.makeCurrent();
            return train(SMALL, Trainer.Options.of(200, 50));
        };
        try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
            for (var outcome : threads.invokeAll(List.of(run, run, run))) {
                assertArrayEquals(alone.parameters, outcome.get().parameters);
                assertEquals(alone.rows, outcome.get().rows);
            }
        }
    }

    @Test
    void badSchedulesGetOneLine() {
        assertRefused("steps must be between 1 and 4294967295, not 0", 0, 1, 1);
        assertRefused("log-every must be at least 1, not -1", 1, -1, 1);
        assertRefused("unroll must be between 1 and 4096, not 0", 1, 1, 0);
    }

    private static void assertRefused(String message, long steps, long logEvery, int unroll) {
        assertEquals(
                message,
                assertThrows(
                                IllegalArgumentException.class,
                                () -> new Trainer.Options(new Schedule(steps, logEvery), unroll, true))
                        .getMessage());
    }
}
