package plateau.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Future;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import plateau.autograd.Kernels;
import plateau.autograd.Workspace;
import plateau.cuda.Device;
import plateau.cuda.Work;
import plateau.cuda.load.KernelImages;
import plateau.experiment.Approach;
import plateau.experiment.Experiment;
import plateau.experiment.Parity;
import plateau.experiment.Plan;
import plateau.experiment.Pwl;
import plateau.experiment.RunContext;
import plateau.experiment.Snr;
import plateau.experiment.Step;
import plateau.experiment.Stocks;
import plateau.experiment.Tuple;
import plateau.kernel.Conv2d;
import plateau.kernel.Dense;
import plateau.kernel.LineData;
import plateau.reference.TestDevice;
import plateau.results.LogRow;

/** A run among others in one graph has the bits that it has alone, and ends as it does alone. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ReplicasTest {
    private static final long[] SEEDS = {7, 1L << 40, 3};

    private Device device;
    private Kernels kernels;
    private Device realThreads;

    @TempDir
    private Path folder;

    @BeforeAll
    void open() {
        device = TestDevice.open();
        kernels = Kernels.of(device, Dense.Products.KERNELS, Conv2d.Convolutions.KERNELS);
        realThreads = TestDevice.open(KernelImages.FIBERS);
    }

    @AfterAll
    void close() {
        realThreads.close();
        device.close();
    }

    private static Named<LongFunction<Experiment>> named(Experiment first, LongFunction<Experiment> make) {
        return Named.of(first.name() + " " + first.options(), make);
    }

    /** Every experiment in every variant, with few samples, for the sake of real threads. */
    static Stream<Named<LongFunction<Experiment>>> experiments() {
        List<LongFunction<Experiment>> all = new ArrayList<>();
        all.add(seed -> new Parity(new Parity.Options(6, null, 5, null), seed));
        for (Pwl.Variant variant : Pwl.Variant.values()) {
            for (Pwl.Distribution law : Pwl.Distribution.values()) {
                all.add(seed -> new Pwl(new Pwl.Options(variant, law, 3, null), seed));
            }
        }
        for (Step.Variant variant : Step.Variant.values()) {
            for (Step.Smoothing smoothing : Step.Smoothing.values()) {
                all.add(seed -> new Step(new Step.Options(variant, 4, null, smoothing), seed));
            }
        }
        for (Approach mode : Approach.values()) {
            all.add(seed -> new Stocks(new Stocks.Options(20, 35, mode, 6, null), seed));
            for (LineData.Raster raster : LineData.Raster.values()) {
                all.add(seed -> new Tuple(new Tuple.Options(2, mode, raster, 2, null), seed));
            }
        }
        all.add(seed -> new Snr(new Snr.Options(2, 12L, null, 3), seed));
        return all.stream().map(make -> named(make.apply(1), make));
    }

    private static List<Experiment> of(LongFunction<Experiment> make, long... seeds) {
        return LongStream.of(seeds).mapToObj(make).toList();
    }

    /** What a run leaves: its rows and its parameters. */
    private record Trained(List<LogRow> rows, float[] parameters) {}

    private static RunListener into(List<LogRow> rows) {
        return new RunListener() {
            @Override
            public void onLog(LogRow row) {
                rows.add(row);
            }
        };
    }

    private List<Trained> train(Kernels on, List<Experiment> experiments) {
        List<List<LogRow>> rows =
                experiments.stream().<List<LogRow>>map(_ -> new ArrayList<>()).toList();
        try (Trainer trainer = new Trainer(on, experiments, Trainer.Options.of(7, 3))) {
            trainer.run(rows.stream()
                            .map(own -> new Trainer.Participant(into(own), Checkpoints.NONE))
                            .toList())
                    .forEach(outcome -> assertNull(outcome.failure()));
            return IntStream.range(0, experiments.size())
                    .mapToObj(i -> new Trained(rows.get(i), trainer.parameters(i)))
                    .toList();
        }
    }

    private void sameAsAlone(Kernels on, LongFunction<Experiment> make) {
        List<Trained> together = train(on, of(make, SEEDS));
        for (int i = 0; i < SEEDS.length; i++) {
            Trained alone = train(on, of(make, SEEDS[i])).getFirst();
            assertArrayEquals(alone.parameters, together.get(i).parameters);
            assertEquals(alone.rows, together.get(i).rows);
        }
        assertTrue(!Arrays.equals(together.get(0).parameters, together.get(2).parameters), "seeds differ");
    }

    @ParameterizedTest
    @MethodSource("experiments")
    void aRunAmongOthersHasTheBitsOfTheRunAlone(LongFunction<Experiment> make) {
        sameAsAlone(kernels, make);
    }

    /** Strided batches of products. */
    @Test
    void likewiseByCublas() {
        sameAsAlone(
                Kernels.of(device, Dense.Products.CUBLAS),
                seed -> new Step(new Step.Options(Step.Variant.E2E, 4, null, null), seed));
    }

    /** Barriers, shuffles and shared memory with real blocks, two steps without an evaluation. */
    @ParameterizedTest
    @MethodSource("experiments")
    void likewiseWithRealThreads(LongFunction<Experiment> make) {
        Kernels on = Kernels.of(realThreads, Dense.Products.KERNELS, Conv2d.Convolutions.KERNELS);
        List<float[]> together = steps(on, of(make, SEEDS));
        for (int i = 0; i < SEEDS.length; i++) {
            assertArrayEquals(steps(on, of(make, SEEDS[i])).getFirst(), together.get(i));
        }
    }

    /** Parameters, and the ring of training metrics behind them, after two steps. */
    private static List<float[]> steps(Kernels on, List<Experiment> experiments) {
        List<Long> seeds = experiments.stream().map(Experiment::seed).toList();
        long content;
        try (Workspace alone = new Workspace(on.device())) {
            experiments.getFirst().plan(RunContext.of(on, alone, seeds.subList(0, 1), 2));
            content = alone.content();
        }
        try (Workspace workspace = experiments.size() == 1
                        ? new Workspace(on.device())
                        : new Workspace(on.device(), experiments.size(), content);
                plateau.cuda.Stream stream = on.device().createStream()) {
            RunContext context = RunContext.of(on, workspace, seeds, 2);
            Plan plan = experiments.getFirst().plan(context);
            Work advance = on.counter().advance(context.step());
            Work.sequence("two steps", List.of(plan.initialise(), plan.step(), advance, plan.step()))
                    .enqueue(stream);
            stream.synchronize();
            return IntStream.range(0, experiments.size())
                    .mapToObj(i -> {
                        float[] parameters =
                                plan.parameters().values().replica(i).toFloats();
                        float[] metrics = plan.training().rows().replica(i).toFloats();
                        float[] both = Arrays.copyOf(parameters, parameters.length + metrics.length);
                        System.arraycopy(metrics, 0, both, parameters.length, metrics.length);
                        return both;
                    })
                    .toList();
        }
    }

    private static final LongFunction<Experiment> SMALL = seed -> new Parity(Parity.Options.of(6), seed);

    @Test
    void aRunThatDivergesEndsAlone() {
        LongFunction<Experiment> diverging = seed -> new Parity(new Parity.Options(6, null, 128, 1e30f), seed);
        List<Trainer.Participant> participants = new ArrayList<>();
        List<Throwable> failures = new ArrayList<>();
        List<List<LogRow>> rows = List.of(new ArrayList<>(), new ArrayList<>());
        RunListener failing = new RunListener() {
            @Override
            public void onLog(LogRow row) {
                throw new IllegalStateException("full");
            }

            @Override
            public void onFailure(Throwable cause) {
                failures.add(cause);
            }
        };
        participants.add(new Trainer.Participant(into(rows.get(0)), Checkpoints.NONE));
        participants.add(new Trainer.Participant(failing, Checkpoints.NONE));
        participants.add(new Trainer.Participant(into(rows.get(1)), Checkpoints.NONE));
        try (Trainer trainer = new Trainer(kernels, of(SMALL, 1, 2, 3), Trainer.Options.of(40, 10))) {
            List<Trainer.Outcome> outcomes = trainer.run(participants);
            assertEquals(40, outcomes.get(0).result().last().step());
            assertEquals("full", outcomes.get(1).failure().getMessage());
            assertEquals(40, outcomes.get(2).result().last().step());
        }
        assertEquals(1, failures.size());
        assertEquals(4, rows.get(0).size());
        try (Trainer trainer = new Trainer(kernels, of(diverging, 1, 2), Trainer.Options.of(400, 1))) {
            List<Trainer.Outcome> outcomes = trainer.run(List.of(
                    new Trainer.Participant(RunListener.NONE, Checkpoints.NONE),
                    new Trainer.Participant(RunListener.NONE, Checkpoints.NONE)));
            outcomes.forEach(outcome -> assertInstanceOf(NonFiniteLossException.class, outcome.failure()));
        }
    }

    @Test
    void aCheckpointGoesOnAloneAndAmongOthers() {
        Trainer.Options options = Trainer.Options.of(60, 10);
        Checkpoints[] files = IntStream.range(0, 3)
                .mapToObj(i -> Checkpoints.of(folder.resolve(i + ".safetensors"), 20, true, _ -> {}))
                .toArray(Checkpoints[]::new);
        try (Trainer trainer = new Trainer(kernels, of(SMALL, 1, 2, 3), options)) {
            RunListener stopping = new RunListener() {
                @Override
                public void onSteps(long done) {
                    if (done >= 30) {
                        trainer.stop();
                    }
                }
            };
            trainer.run(Arrays.stream(files)
                            .map(file -> new Trainer.Participant(stopping, file))
                            .toList())
                    .forEach(outcome -> assertInstanceOf(CancellationException.class, outcome.failure()));
        }
        try (Trainer trainer = new Trainer(kernels, SMALL.apply(2), options)) { // one of them alone, to its end
            trainer.run(RunListener.NONE, files[1]);
            assertArrayEquals(alone(2, options), trainer.parameters());
        }
        List<List<LogRow>> rows = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        try (Trainer trainer = new Trainer(kernels, of(SMALL, 4, 1, 3), options)) { // the others, beside a new one
            trainer.run(List.of(
                            new Trainer.Participant(into(rows.get(0)), Checkpoints.NONE),
                            new Trainer.Participant(into(rows.get(1)), files[0]),
                            new Trainer.Participant(into(rows.get(2)), files[2])))
                    .forEach(outcome -> assertNull(outcome.failure()));
            assertEquals(List.of(10L, 20L, 30L, 40L, 50L, 60L), steps(rows.get(0)));
            assertEquals(List.of(40L, 50L, 60L), steps(rows.get(1)));
            assertArrayEquals(alone(3, options), trainer.parameters(2));
        }
    }

    private static List<Long> steps(List<LogRow> rows) {
        return rows.stream().map(LogRow::step).toList();
    }

    private float[] alone(long seed, Trainer.Options options) {
        try (Trainer trainer = new Trainer(kernels, SMALL.apply(seed), options)) {
            trainer.run(RunListener.NONE);
            return trainer.parameters();
        }
    }

    /** Runs of two experiments, seven and three of them, four in a graph. */
    @Test
    void whatWaitsIsTakenInGroupsOfOneKind() {
        LongFunction<Experiment> other = seed -> new Parity(Parity.Options.of(5), seed);
        List<List<LogRow>> rows = new ArrayList<>();
        List<ParallelRuns.Run> runs = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            rows.add(new ArrayList<>());
            runs.add(new ParallelRuns.Run(
                    (i < 7 ? SMALL : other).apply(i), Trainer.Options.of(20, 10), into(rows.get(i))));
        }
        List<Future<RunResult>> ends = new ParallelRuns(List.of(kernels), 2, OptionalInt.of(4)).run(runs);
        ends.forEach(end -> assertEquals(20, end.resultNow().last().step()));
        for (int i = 0; i < 10; i++) {
            List<LogRow> alone = new ArrayList<>();
            Trainer.run(kernels, (i < 7 ? SMALL : other).apply(i), Trainer.Options.of(20, 10), into(alone));
            assertEquals(alone, rows.get(i));
        }
    }

    @Test
    void unlikeRunsAreRefused() {
        List<Experiment> unlike = List.of(SMALL.apply(1), new Parity(Parity.Options.of(7), 1));
        assertThrows(IllegalArgumentException.class, () -> new Trainer(kernels, unlike, Trainer.Options.of(10, 10)));
    }
}
