package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import plateau.cuda.Device;
import plateau.cuda.load.DeviceOptions;

/**
 * What the kernels' sources and their launchers both must know is the same on either side. Every
 * integer constant of either side is compared, or is named as one side's own affair: a new one
 * fails here until somebody has said which it is.
 */
class KernelConstantsTest {
    private static final Path ROOT = Path.of(System.getProperty("plateau.basedir"));
    private static final Path KERNELS = ROOT.resolve("kernels");
    private static final Pattern CONSTANT =
            Pattern.compile("(?m)^(?:\\[\\[maybe_unused\\]\\] )?constexpr int (k\\w+) =\\s+([^;]+);");

    /** Java's constant, and the kernels'. */
    private static final Map<String, String> SAME = new TreeMap<>(Map.ofEntries(
            Map.entry("Conv2d.LANES", "lanes.cuh kLanes"),
            Map.entry("Dense.STRIP", "dense.cu kSingleColumns"),
            Map.entry("Dense.TILE", "dense_tile.cuh kTile"),
            Map.entry("Dense.TILE_THREADS", "dense_threads.cuh kGemmThreads"),
            Map.entry("LineData.SIDE", "data/lines.cu kSide"),
            Map.entry("Metrics.LOSS_AND_ACCURACY_WORDS", "metrics.cu kLossAndAccuracyWords"),
            Map.entry("ParityData.SAMPLES_PER_BLOCK", "data/parity.cu kSamples"),
            Map.entry("PwlData.CURVES_PER_BLOCK", "data/pwl.cu kCurves"),
            Map.entry("PwlEncoding.MOMENTS", "pwl.cu kMoments"),
            Map.entry("SignalToNoise.COLUMNS", "snr.cu kMomentColumns"),
            Map.entry("SignalToNoise.METRICS", "snr.cu kApproachMetrics"),
            Map.entry("SignalToNoise.ROWS", "snr.cu kMomentRows"),
            Map.entry("Spectra.MOST", "spectra.cu kRecursionSize"),
            Map.entry("SparseRows.CATCH_UP_WORDS", "rows.cu kCatchUpWords"),
            Map.entry("SparseRows.MOMENTS", "rows.cu kMoments"),
            Map.entry("StepData.DRAW_THREADS", "data/step.cu kDraws"),
            Map.entry("StepData.LANES", "data/step.cu kPartialSums"),
            Map.entry("StepData.NORMALS_PER_BLOCK", "data/step.cu kNormals"),
            Map.entry("StepFunction.METRICS_WORDS", "step.cu kStepMetricsWords"),
            Map.entry("StepFunction.SMOOTH_SAMPLES", "step.cu kSmoothSamples"),
            Map.entry("StocksData.WORDS_PER_DRAW", "data/stocks.cu kWords"),
            Map.entry("StocksLoss.METRICS_WORDS", "stocks.cu kStockMetricsWords"),
            Map.entry("TupleMetrics.METRICS_WORDS", "tuple.cu kTupleMetricsWords")));

    /** Constants of the kernels that stand for a value of a Java enum. */
    private static final Map<String, Enum<?>> ENUMS = Map.ofEntries(
            Map.entry("data/lines.cu kPaperRaster", LineData.Raster.PAPER),
            Map.entry("data/pwl.cu kPaperLaw", PwlData.Law.PAPER),
            Map.entry("data/pwl.cu kProgramLaw", PwlData.Law.PROGRAM),
            Map.entry("data/pwl.cu kRealLaw", PwlData.Law.REAL),
            Map.entry("landscape.cu kCosine", Landscape.Activation.COSINE),
            Map.entry("landscape.cu kFloor", Landscape.Activation.FLOOR),
            Map.entry("landscape.cu kIdentity", Landscape.Activation.IDENTITY),
            Map.entry("walsh.cu kHingeFixed", WalshHadamard.Part.HINGE_FIXED),
            Map.entry("walsh.cu kHingeSignal", WalshHadamard.Part.HINGE_SIGNAL),
            Map.entry("walsh.cu kSquaredFixed", WalshHadamard.Part.SQUARED_FIXED),
            Map.entry("walsh.cu kSquaredSignal", WalshHadamard.Part.SQUARED_SIGNAL));

    /** The kernels' own: no launcher depends on them. */
    private static final Set<String> KERNELS_OWN = Set.of(
            "common.cuh kWarpThreads",
            "conv2d_tile.cuh kListed",
            "conv2d_tile.cuh kTileColumns",
            "conv2d_tile.cuh kTilePositions",
            "data/lines.cu kPixels",
            "data/parity.cu kChunkBits",
            "data/pwl.cu kPieces",
            "dense_one_thread.cuh kPanelDepth",
            "dense_one_thread.cuh kQuarter",
            "dense_one_thread.cuh kRegisterColumns",
            "dense_one_thread.cuh kRegisterRows",
            "dense_threads.cuh kDepth",
            "dense_threads.cuh kThreadTile",
            "snr.cu kMomentSamples");

    /**
     * The launchers' own: what is chosen freely, and what is estimated. So are counts of threads
     * and of operations that are not compared above.
     */
    private static final Set<String> LAUNCHERS_OWN = Set.of(
            "Conv2d.CPU_PARTS",
            "Conv2d.GPU_PARTS",
            "Dense.LARGE_PRODUCT",
            "Measurements.REPETITIONS",
            "Measurements.ROUNDS",
            "Multiprocessor.PARTS",
            "Multiprocessor.REGISTERS_OF_PART",
            "Multiprocessor.REGISTER_UNIT",
            "Multiprocessor.SHARED_UNIT",
            "Multiprocessor.WARP",
            "WalshHadamard.CHUNK");

    private static String source(String file) throws IOException {
        return Files.readString(KERNELS.resolve(file));
    }

    /**
     * The definitions of the kernels' integer constants by "file name"; the last one where there
     * are several.
     */
    private static Map<String, String> definitions() throws IOException {
        Map<String, String> found = new TreeMap<>();
        try (Stream<Path> files = Files.walk(KERNELS)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = KERNELS.relativize(file).toString();
                CONSTANT.matcher(source(name))
                        .results()
                        .forEach(constant -> found.put(name + " " + constant.group(1), constant.group(2)));
            }
        }
        return found;
    }

    /** The launchers' integer constants by "Class.NAME". */
    private static Map<String, Number> launchers() throws Exception {
        Map<String, Number> found = new TreeMap<>();
        try (Stream<Path> files = Files.list(ROOT.resolve("target/classes/plateau/kernel"))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".class")).toList()) {
                String name = file.getFileName().toString().replaceAll("\\.class$", "");
                if (name.equals("package-info")) {
                    continue;
                }
                for (Field field : Class.forName("plateau.kernel." + name).getDeclaredFields()) {
                    if (Modifier.isStatic(field.getModifiers())
                            && !field.isSynthetic()
                            && (field.getType() == int.class || field.getType() == long.class)) {
                        field.setAccessible(true);
                        found.put(name + "." + field.getName(), (Number) field.get(null));
                    }
                }
            }
        }
        return found;
    }

    /** The value of a C++ expression: numbers, names, +, -, *, /, brackets, casts and ceil_div. */
    private static final class Expression {
        private static final Pattern TOKEN = Pattern.compile("\\d+|\\w+|[-+*/(),]");

        private final List<String> tokens;
        private final Map<String, Long> names;
        private int next;

        private Expression(String text, Map<String, Long> names) {
            tokens = TOKEN.matcher(text.replaceAll("static_cast<\\w+>", ""))
                    .results()
                    .map(MatchResult::group)
                    .toList();
            this.names = names;
        }

        static long evaluate(String text, Map<String, Long> names) {
            Expression expression = new Expression(text, names);
            long value = expression.sum();
            assertEquals(expression.tokens.size(), expression.next, text);
            return value;
        }

        private boolean accept(String token) {
            boolean there = next < tokens.size() && tokens.get(next).equals(token);
            next += there ? 1 : 0;
            return there;
        }

        private long sum() {
            long value = product();
            while (true) {
                if (accept("+")) {
                    value += product();
                } else if (accept("-")) {
                    value -= product();
                } else {
                    return value;
                }
            }
        }

        private long product() {
            long value = factor();
            while (true) {
                if (accept("*")) {
                    value *= factor();
                } else if (accept("/")) {
                    value /= factor();
                } else {
                    return value;
                }
            }
        }

        private long factor() {
            if (accept("(")) {
                long value = sum();
                assertTrue(accept(")"), tokens.toString());
                return value;
            }
            if (accept("ceil_div")) {
                assertTrue(accept("("), tokens.toString());
                long divided = sum();
                assertTrue(accept(","), tokens.toString());
                long divisor = sum();
                assertTrue(accept(")"), tokens.toString());
                return Math.ceilDiv(divided, divisor);
            }
            String token = tokens.get(next++);
            if (Character.isDigit(token.charAt(0))) {
                return Long.parseLong(token);
            }
            assertTrue(names.containsKey(token), token + " is not known among " + names);
            return names.get(token);
        }
    }

    /** A constant of the kernels, in which others of its file and of any file may stand. */
    private static long value(String constant, Map<String, String> definitions) {
        String definition = definitions.get(constant);
        assertTrue(definition != null, constant + " is not in the sources");
        Map<String, Long> names = new LinkedHashMap<>();
        String file = constant.substring(0, constant.indexOf(' '));
        for (Matcher name = Pattern.compile("k[A-Z]\\w*").matcher(definition); name.find(); ) {
            String own = file + " " + name.group();
            String other = definitions.keySet().stream()
                    .filter(key -> key.endsWith(" " + name.group()))
                    .findFirst()
                    .orElseThrow();
            names.put(name.group(), value(definitions.containsKey(own) ? own : other, definitions));
        }
        return Expression.evaluate(definition, names);
    }

    @Test
    void expressionsHaveTheirValues() {
        assertEquals(
                7 + 3 * (4 - 2) / 6 + 4,
                Expression.evaluate(
                        "7 + kThree * (4 - 2) / 6 + ceil_div(static_cast<int>(10), kThree)", Map.of("kThree", 3L)));
    }

    @Test
    void launchersAndKernelsAgree() throws Exception {
        Map<String, String> definitions = definitions();
        Map<String, Number> launchers = launchers();
        for (Map.Entry<String, String> same : SAME.entrySet()) {
            assertTrue(launchers.containsKey(same.getKey()), same.getKey() + " is not there");
            assertEquals(
                    value(same.getValue(), definitions),
                    launchers.get(same.getKey()).longValue(),
                    same.toString());
        }
        for (Map.Entry<String, Enum<?>> constant : ENUMS.entrySet()) {
            assertEquals(
                    value(constant.getKey(), definitions), constant.getValue().ordinal(), constant.toString());
        }
    }

    @Test
    void everyConstantIsComparedOrIsOneSidesOwn() throws Exception {
        Set<String> kernels = new TreeSet<>(definitions().keySet());
        assertTrue(kernels.containsAll(KERNELS_OWN), "KERNELS_OWN names some that are not there: " + KERNELS_OWN);
        kernels.removeAll(KERNELS_OWN);
        kernels.removeAll(SAME.values());
        kernels.removeAll(ENUMS.keySet());
        assertEquals(
                Set.of(),
                kernels,
                "compare these constants of the kernels with the launchers', or name them in KERNELS_OWN");
        Set<String> launchers = new TreeSet<>(launchers().keySet());
        assertTrue(
                launchers.containsAll(LAUNCHERS_OWN), "LAUNCHERS_OWN names some that are not there: " + LAUNCHERS_OWN);
        launchers.removeAll(LAUNCHERS_OWN);
        launchers.removeAll(SAME.keySet());
        launchers.removeIf(name -> name.endsWith("THREADS") || name.endsWith("_OPERATIONS"));
        assertEquals(
                Set.of(),
                launchers,
                "compare these constants of the launchers with the kernels', or name them in LAUNCHERS_OWN");
    }

    @Test
    void aBlockOfTheConvolutionIsAsLargeAsItsKernelsAllow() throws Exception {
        List<String> bounds = Pattern.compile("__launch_bounds__\\((\\d+)\\)\\s+conv2d_pool_\\w+")
                .matcher(source("conv2d.cu"))
                .results()
                .map(bound -> bound.group(1))
                .toList();
        String threads = launchers().get("Conv2d.IMAGE_THREADS").toString();
        assertEquals(List.of(threads, threads, threads), bounds);
    }

    /**
     * A part's share of the filters' gradient, which the kernel lays out and the launcher
     * allocates.
     */
    @Test
    void sharesAreAsLargeAsTheKernelsThink() throws Exception {
        Matcher formula = Pattern.compile("share_elements\\(int taps, int in\\) \\{\\s*return ([^;]+);")
                .matcher(source("conv2d.cu"));
        assertTrue(formula.find(), "share_elements is in conv2d.cu");
        List<Long> bytes = new ArrayList<>();
        try (Device device = Device.open(DeviceOptions.cpu())) {
            new Conv2d(device, Conv2d.Convolutions.KERNELS).memory(new Conv2d.Geometry(40, 28, 28, 17, 33, 5), size -> {
                bytes.add(size);
                return null;
            });
        }
        long share = Expression.evaluate(
                formula.group(1), Map.of("taps", 25L, "in", 17L, "kLanes", value("lanes.cuh kLanes", definitions())));
        // 40 images in parts of 2, of which a CPU has 32 at most; 33 output channels in groups of
        // 16.
        assertEquals(20 * 3 * share * Float.BYTES, bytes.get(6), "shares");
        assertEquals(8, bytes.size());
    }
}
