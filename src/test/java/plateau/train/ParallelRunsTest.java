package plateau.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.cuda.LiveObjects;
import plateau.experiment.Approach;
import plateau.experiment.Experiment;
import plateau.experiment.Parity;
import plateau.experiment.Pwl;
import plateau.experiment.Snr;
import plateau.experiment.Step;
import plateau.experiment.Stocks;
import plateau.experiment.Tuple;
import plateau.kernel.Dense;
import plateau.kernel.LineData;
import plateau.reference.TestDevice;
import plateau.results.LogRow;

/**
 * Several runs at once: the same bits as one after the other, each with an end of its own, and
 * nothing left on the device.
 */
class ParallelRunsTest {
    private static final Trainer.Options SCHEDULE = Trainer.Options.of(150, 50);

    private Device device;
    private Kernels kernels;

    @BeforeEach
    void open() {
        device = TestDevice.open();
        kernels = Kernels.of(device, Dense.Products.AUTO);
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(LiveObjects.NONE, device.live());
        device.close();
    }

    private static List<Experiment> experiments() {
        return Stream.of(
                        Stream.of(Approach.values())
                                .map(mode -> (Experiment) new Stocks(new Stocks.Options(50, 10, mode, 20, 0.1f), 1)),
                        Stream.of(Approach.values()).map(mode ->
                                (Experiment) new Tuple(new Tuple.Options(2, mode, LineData.Raster.PAPER, 2, 1e-3f), 1)),
                        Stream.of((Experiment) new Snr(new Snr.Options(2, 400L, LineData.Raster.PAPER, 4), 1)),
                        Stream.of(5, 30, 10, 20).map(d -> (Experiment) new Parity(Parity.Options.of(d), d)),
                        Stream.of(Pwl.Variant.values())
                                .map(variant -> (Experiment) new Pwl(Pwl.Options.of(variant), 1)),
                        Stream.of(Step.Variant.values())
                                .map(variant -> (Experiment) new Step(Step.Options.of(variant), 1)))
                .flatMap(kind -> kind)
                .toList();
    }

    private List<List<LogRow>> rows(List<Kernels> devices, int parallel) {
        List<List<LogRow>> rows =
                experiments().stream().<List<LogRow>>map(_ -> new ArrayList<>()).toList();
        List<ParallelRuns.Run> runs = IntStream.range(0, rows.size())
                .mapToObj(i -> new ParallelRuns.Run(experiments().get(i), SCHEDULE, rowsInto(rows.get(i))))
                .toList();
        new ParallelRuns(devices, parallel).run(runs).forEach(Future::resultNow);
        return rows;
    }

    private static RunListener rowsInto(List<LogRow> rows) {
        return new RunListener() {
            @Override
            public void onLog(LogRow row) {
                rows.add(row);
            }
        };
    }

    private List<LogRow> alone(Experiment experiment) {
        List<LogRow> rows = new ArrayList<>();
        Trainer.run(kernels, experiment, SCHEDULE, rowsInto(rows));
        return rows;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 100})
    void theNumberAtOnceDoesNotShowInTheBits(int parallel) {
        List<List<LogRow>> alone = experiments().stream().map(this::alone).toList();
        assertEquals(alone, rows(List.of(kernels), parallel));
    }

    @Test
    void severalDevicesShareTheRuns() {
        List<List<LogRow>> alone = rows(List.of(kernels), 1);
        try (Device second = TestDevice.openSecond()) {
            assertEquals(alone, rows(List.of(kernels, Kernels.of(second, Dense.Products.AUTO)), 4));
            assertEquals(LiveObjects.NONE, second.live());
        }
    }

    @Test
    void aFailureDoesNotKeepTheOthersFromTheirEnd() {
        List<Throwable> failures = new ArrayList<>();
        RunListener listener = new RunListener() {
            @Override
            public void onFailure(Throwable cause) {
                failures.add(cause);
            }
        };
        Parity diverging = new Parity(new Parity.Options(6, null, 128, 1e30f), 1);
        Parity sound = new Parity(Parity.Options.of(6), 1);
        List<Future<RunResult>> ends = new ParallelRuns(List.of(kernels), 2)
                .run(List.of(
                        new ParallelRuns.Run(sound, SCHEDULE, RunListener.NONE),
                        new ParallelRuns.Run(diverging, SCHEDULE, listener),
                        new ParallelRuns.Run(sound, SCHEDULE, RunListener.NONE)));
        assertEquals(
                List.of(Future.State.SUCCESS, Future.State.FAILED, Future.State.SUCCESS),
                ends.stream().map(Future::state).toList());
        assertEquals(1, ((NonFiniteLossException) ends.get(1).exceptionNow()).step());
        assertEquals(List.of(ends.get(1).exceptionNow()), failures);
        assertEquals(ends.get(0).resultNow().last(), ends.get(2).resultNow().last());
    }

    /** It ends the run that goes on, far from its last step, and the next one never starts. */
    @Test
    void stopEndsWhatHasBegun() {
        ParallelRuns runs = new ParallelRuns(List.of(kernels), 1);
        List<Long> seen = new ArrayList<>();
        AtomicInteger started = new AtomicInteger();
        RunListener listener = new RunListener() {
            @Override
            public void onStart(long done) {
                started.incrementAndGet();
            }

            @Override
            public void onLog(LogRow row) {
                seen.add(row.step());
                runs.stop();
            }
        };
        ParallelRuns.Run job = new ParallelRuns.Run(
                new Parity(Parity.Options.of(6), 1), Trainer.Options.of(1_000_000_000L, 20), listener);
        List<Future<RunResult>> ends = runs.run(List.of(job, job));
        assertEquals(
                List.of(Future.State.CANCELLED, Future.State.CANCELLED),
                ends.stream().map(Future::state).toList());
        assertEquals(List.of(20L), seen);
        assertEquals(1, started.get());
    }

    /** With long intervals too, the host looks after the run between two rows. */
    @Test
    void stepsAreSeenBetweenRows() {
        List<Long> seen = new ArrayList<>();
        RunListener listener = new RunListener() {
            @Override
            public void onSteps(long done) {
                seen.add(done);
            }
        };
        Trainer.run(kernels, new Parity(Parity.Options.of(6), 1), Trainer.Options.of(5000, 5000), listener);
        assertTrue(
                seen.size() > 2 && seen.getFirst() <= Trainer.Options.DEFAULT_UNROLL && seen.getLast() == 5000,
                seen::toString);
    }

    @Test
    void withoutMemoryOneRunsAfterTheOther() {
        AtomicInteger running = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        RunListener listener = new RunListener() {
            @Override
            public void onStart(long done) {
                most.accumulateAndGet(running.incrementAndGet(), Math::max);
            }

            @Override
            public void onFinish(RunResult result) {
                running.decrementAndGet();
            }
        };
        List<ParallelRuns.Run> jobs = Stream.generate(
                        () -> new ParallelRuns.Run(new Parity(Parity.Options.of(6), 1), SCHEDULE, listener))
                .limit(6)
                .toList();
        List<Future<RunResult>> ends = new ParallelRuns(List.of(kernels), 3, OptionalInt.empty(), _ -> 0).run(jobs);
        assertTrue(ends.stream().allMatch(end -> end.state() == Future.State.SUCCESS));
        assertEquals(1, most.get());
    }

    @Test
    void noPlaceIsRefused() {
        assertEquals(
                "parallel must be at least 1, not 0",
                assertThrows(IllegalArgumentException.class, () -> new ParallelRuns(List.of(kernels), 0))
                        .getMessage());
    }
}
