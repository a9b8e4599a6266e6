package plateau.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
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
import plateau.kernel.StocksData;
import plateau.reference.Seeds;
import plateau.reference.TestDevice;
import plateau.results.LogRow;
import plateau.results.Safetensors;
import plateau.results.Safetensors.Array;

/**
 * A run that is broken off and goes on, in another trainer, ends in the same bits; and what is not
 * its own checkpoint is refused.
 */
class CheckpointsTest {
    private static final Parity SMALL = new Parity(Parity.Options.of(6), 1);
    private static final Trainer.Options SCHEDULE = Trainer.Options.of(210, 50);

    @TempDir
    Path folder;

    private Path file;
    private Device device;
    private Kernels kernels;
    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void open() {
        file = folder.resolve("checkpoints/run.safetensors");
        device = TestDevice.open();
        kernels = Kernels.of(device, Dense.Products.AUTO);
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(LiveObjects.NONE, device.live());
        device.close();
    }

    /** What a listener sees: rows, and curves by step, name and value. */
    private static class Seen implements RunListener {
        private final List<LogRow> rows = new ArrayList<>();
        private final Map<Long, String> curves = new TreeMap<>();
        private final List<Long> starts = new ArrayList<>();

        @Override
        public void onStart(long done) {
            starts.add(done);
        }

        @Override
        public void onLog(LogRow row) {
            rows.add(row);
        }

        @Override
        public boolean wantsCurves(long step) {
            return step != 100;
        }

        @Override
        public void onCurves(long step, Map<String, float[]> learnt) {
            curves.put(
                    step,
                    learnt.entrySet().stream()
                            .map(entry -> entry.getKey() + Arrays.toString(entry.getValue()))
                            .collect(Collectors.joining()));
        }
    }

    /** What a run leaves. */
    private record End(
            float[] parameters, List<LogRow> rows, Map<Long, String> curves, List<Long> starts, RunResult result) {
        /** The other one has gone on from a checkpoint, and has logged what came after it. */
        void assertEndsAs(End other) {
            assertArrayEquals(parameters, other.parameters);
            assertEquals(rows.subList(rows.size() - other.rows.size(), rows.size()), other.rows);
            other.curves.forEach((step, learnt) -> assertEquals(curves.get(step), learnt));
        }
    }

    private End run(Experiment experiment, Trainer.Options schedule, Checkpoints checkpoints) {
        try (Trainer trainer = new Trainer(kernels, experiment, schedule)) {
            Seen seen = new Seen();
            RunResult result = trainer.run(seen, checkpoints);
            return new End(trainer.parameters(), seen.rows, seen.curves, seen.starts, result);
        }
    }

    private Checkpoints fresh(long every) {
        return Checkpoints.of(file, every, false, warnings::add);
    }

    private Checkpoints again(long every) {
        return Checkpoints.of(file, every, true, warnings::add);
    }

    static Stream<Experiment> experiments() {
        return Stream.of(
                        Stream.of(
                                SMALL,
                                new Stocks(new Stocks.Options(50, 10, Approach.E2E, 20, 0.1f), 1),
                                new Stocks(new Stocks.Options(50, 10, Approach.DEC, 20, 0.1f), 1)),
                        Stream.of(Approach.values()).map(mode ->
                                (Experiment) new Tuple(new Tuple.Options(2, mode, LineData.Raster.PAPER, 2, 1e-3f), 1)),
                        Stream.of((Experiment) new Snr(new Snr.Options(2, 400L, LineData.Raster.PAPER, 4), 1)),
                        Stream.of(Pwl.Variant.values())
                                .map(variant -> (Experiment) new Pwl(Pwl.Options.of(variant), 1)),
                        Stream.of(Step.Variant.values())
                                .map(variant -> (Experiment) new Step(Step.Options.of(variant), 1)))
                .flatMap(kind -> kind);
    }

    /**
     * Broken off twice after random numbers of steps, each time in the middle of an unrolled graph,
     * a log interval and a checkpoint interval, or not.
     */
    @ParameterizedTest
    @MethodSource("experiments")
    void aBrokenRunEndsInTheSameBits(Experiment experiment) {
        End whole = run(experiment, SCHEDULE, Checkpoints.NONE);
        Seeds seeds = Seeds.next();
        for (int part = 0; part < 2; part++) {
            long stop = 100 * part + 1 + seeds.random().nextInt(98);
            Checkpoints checkpoints = part == 0 ? fresh(30) : again(30);
            try (Trainer trainer =
                    new Trainer(kernels, experiment, new Trainer.Options(new Schedule(210, 50), 7, true))) {
                Seen seen = new Seen() {
                    @Override
                    public void onSteps(long done) {
                        if (done >= stop) {
                            trainer.stop();
                        }
                    }
                };
                assertThrows(
                        CancellationException.class,
                        () -> trainer.run(seen, checkpoints),
                        seeds.message("stopped at " + stop));
            }
        }
        whole.assertEndsAs(run(experiment, SCHEDULE, again(1000)));
        assertEquals(List.of(), warnings);
    }

    /**
     * A table of rows that are brought up to date when they are read is saved as it is, and what
     * was learnt as it is read.
     */
    @Test
    void whatWasLearntIsUpToDate() throws IOException {
        int d = 50, k = 10;
        Stocks stocks = new Stocks(new Stocks.Options(d, k, Approach.DEC, 5, 0.1f), 1);
        RunResult result = run(stocks, SCHEDULE, fresh(1000)).result;
        int[] labels;
        try (DeviceBuffer seed = device.upload(1L);
                DeviceBuffer table = device.allocate(Integer.BYTES * (long) d);
                plateau.cuda.Stream stream = device.createStream()) {
            new StocksData(device).labels(d, k, seed, 0, table).enqueue(stream);
            stream.synchronize();
            labels = table.toInts();
        }
        Safetensors learnt = Checkpoints.learnt(file);
        float[] weights = learnt.arrays().get("stocks.weights").toFloats();
        float[] bias = learnt.arrays().get("stocks.bias").toFloats();
        double loss = 0;
        for (int x = 0; x < d; x++) {
            double sum = 0;
            for (int j = 0; j < k; j++) {
                sum += Math.exp(weights[x * k + j] + bias[j] - weights[x * k + labels[x]] - bias[labels[x]]);
            }
            loss -= 1 / sum / d;
        }
        assertEquals(result.last().test().get(stocks.metrics().indexOf("exact_loss")), loss, 1e-5);
        assertFalse(
                Arrays.equals(
                        weights,
                        Safetensors.read(file).arrays().get("stocks.weights").toFloats()),
                "some row had no gradient in the last step");
    }

    /** From the newest to the end again, even where that is the end itself. */
    @Test
    void aFinishedRunIsThereAtOnce() {
        End whole = run(SMALL, SCHEDULE, fresh(1000));
        End again = run(SMALL, SCHEDULE, again(1000));
        assertEquals(List.of(210L), again.starts);
        assertEquals(List.of(), again.rows, "they are known");
        assertArrayEquals(whole.parameters, again.parameters);
        assertEquals(whole.result.seconds(), again.result.seconds());
        assertNull(again.result.last());
    }

    @Test
    void withoutACheckpointARunStartsFromTheBeginning() {
        run(SMALL, SCHEDULE, Checkpoints.NONE).assertEndsAs(run(SMALL, SCHEDULE, again(50)));
    }

    @Test
    void everythingIsThereByName() throws IOException {
        Step step = new Step(Step.Options.of(Step.Variant.E2E), 1);
        run(step, SCHEDULE, fresh(100));
        Safetensors saved = Safetensors.read(file);
        assertEquals("step", saved.metadata().get("experiment"));
        assertEquals("e2e", saved.metadata().get("variant"));
        assertEquals("210", saved.metadata().get("step"));
        List<String> parameters = saved.arrays().keySet().stream()
                .filter(name -> !name.contains("/"))
                .toList();
        assertEquals(8, parameters.size(), "weights and biases of four layers");
        for (String prefix : List.of("gradient/", "optimizer.0/", "optimizer.1/")) {
            parameters.forEach(name -> assertEquals(
                    saved.arrays().get(name).shape(),
                    saved.arrays().get(prefix + name).shape()));
        }
        assertEquals(
                "200",
                Safetensors.read(folder.resolve("checkpoints/run.previous.safetensors"))
                        .metadata()
                        .get("step"));
        try (Stream<Path> files = Files.list(file.getParent())) {
            assertEquals(2, files.count());
        }
    }

    /** As where the process was killed between the two renames. */
    @Test
    void thePreviousOneServesWhereTheNewestIsMissing() throws IOException {
        End whole = run(SMALL, SCHEDULE, fresh(50));
        Files.delete(file);
        whole.assertEndsAs(run(SMALL, SCHEDULE, again(50)));
        assertEquals(List.of(), warnings);
    }

    @Test
    void aDamagedOneGivesWayToThePreviousOneAndSaysSo() throws IOException {
        End whole = run(SMALL, SCHEDULE, fresh(50));
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 10));
        whole.assertEndsAs(run(SMALL, SCHEDULE, again(1000)));
        assertEquals(
                List.of("checkpoint " + file + " cannot be used: it is cut short; going on from the one before it"),
                warnings);
    }

    @Test
    void twoDamagedOnesAreRefused() throws IOException {
        run(SMALL, SCHEDULE, fresh(50));
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        Files.write(folder.resolve("checkpoints/run.previous.safetensors"), bytes);
        assertEquals(
                "checkpoint " + file
                        + " cannot be used: its checksum is wrong: it is damaged; nor can the one before it",
                refusal(SMALL, SCHEDULE));
        assertEquals(List.of(), warnings);
    }

    @Test
    void thoseOfOtherRunsAreRefused() throws IOException {
        run(SMALL, SCHEDULE, fresh(1000));
        assertEquals(
                "checkpoint " + file + " is of another run: seed is 1 there, not 2",
                refusal(new Parity(Parity.Options.of(6), 2), SCHEDULE));
        assertEquals(
                "checkpoint " + file + " is of another run: d is 6 there, not 7",
                refusal(new Parity(Parity.Options.of(7), 1), SCHEDULE));
        assertEquals(
                "checkpoint " + file + " is of another run: experiment is parity there, not step",
                refusal(new Step(Step.Options.of(Step.Variant.E2E), 1), SCHEDULE));
        assertEquals(
                "checkpoint " + file + " is of another run: steps is 210 there, not 300",
                refusal(SMALL, Trainer.Options.of(300, 50)));
        assertEquals(
                "checkpoint " + file + " is of another run: log-every is 50 there, not 70",
                refusal(SMALL, Trainer.Options.of(210, 70)));

        Safetensors saved = Safetensors.read(file);
        saved.metadata().put("layout", "plateau checkpoint 9");
        Path other = folder.resolve("other");
        saved.write(other);
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
        assertEquals(
                "checkpoint " + file
                        + " is of another run: its layout is 'plateau checkpoint 9', not 'plateau checkpoint 2'",
                refusal(SMALL, SCHEDULE));
    }

    @Test
    void anotherDeviceIsTold() throws IOException {
        run(SMALL, SCHEDULE, fresh(1000));
        Safetensors saved = Safetensors.read(file);
        saved.metadata().put("device", "NVIDIA Imaginary");
        saved.write(file);
        run(SMALL, SCHEDULE, again(1000));
        assertEquals(
                List.of(file + " was saved on NVIDIA Imaginary: from there on, the last bits may differ on "
                        + device.arithmetic()),
                warnings);
    }

    private String refusal(Experiment experiment, Trainer.Options schedule) {
        return assertThrows(IllegalStateException.class, () -> run(experiment, schedule, again(50)))
                .getMessage();
    }

    /**
     * What is whole, and has the right checksum, but is not what this run has saved: another array,
     * half an array, none, a step that cannot be.
     */
    @Test
    void forgedOnesAreRefused() throws IOException {
        run(SMALL, SCHEDULE, fresh(1000));
        Safetensors saved = Safetensors.read(file);
        String name = saved.arrays().firstEntry().getKey();
        Array array = saved.arrays().get(name);
        assertForged(
                "its array '%s' is missing, not F32 of shape %s".formatted(name, array.shape()),
                saved,
                (_, arrays) -> arrays.remove(name));
        assertForged(
                "its array '%s' is F32 of shape [3], not F32 of shape %s".formatted(name, array.shape()),
                saved,
                (_, arrays) -> arrays.put(name, Array.of(List.of(3), 1f, 2f, 3f)));
        int[] ints = new int[array.shape().stream().reduce(1, (a, b) -> a * b)];
        assertForged(
                "its array '%s' is I32 of shape %s, not F32 of shape %s".formatted(name, array.shape(), array.shape()),
                saved,
                (_, arrays) -> arrays.put(name, Array.of(array.shape(), ints)));
        for (String step : List.of("211", "-1", "1e3", "", "NaN")) {
            assertForged("its step is '%s'".formatted(step), saved, (texts, _) -> texts.put("step", step));
        }
        assertForged("its step is 'null'", saved, (texts, _) -> texts.remove("step"));
        assertForged("its seconds is 'NaN'", saved, (texts, _) -> texts.put("seconds", "NaN"));
        assertForged(
                "its evaluation_seconds is 'Infinity'",
                saved,
                (texts, _) -> texts.put("evaluation_seconds", "Infinity"));
    }

    private void assertForged(
            String message, Safetensors saved, BiConsumer<Map<String, String>, Map<String, Array>> change)
            throws IOException {
        Safetensors forged =
                new Safetensors(new LinkedHashMap<>(saved.metadata()), new LinkedHashMap<>(saved.arrays()));
        change.accept(forged.metadata(), forged.arrays());
        forged.write(file);
        assertEquals("checkpoint " + file + " cannot be used: " + message, refusal(SMALL, SCHEDULE));
    }

    @Test
    void badIntervalsGetOneLine() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> fresh(0))
                .getMessage()
                .startsWith("checkpoint-every must be at least 1, not 0"));
    }
}
