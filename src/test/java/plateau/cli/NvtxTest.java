package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * What profilers are told, by a stand-in of NVTX that takes down all calls: ranges of every command
 * are properly nested on each thread and all closed, failures and signals included, and nothing
 * that is computed changes.
 */
class NvtxTest {
    /** Each command in small, by its path. */
    private static final Map<String, String> SMALL = Map.ofEntries(
            Map.entry("parity", "--device cpu --d 5 --steps 200 --batch 8 --checkpoint-every 100 --out parity"),
            Map.entry("tuple", "--device cpu --k 1 --steps 2 --batch 4 --conv cudnn --out tuple"),
            Map.entry("snr", "--device cpu --k 1 --samples 1000 --out snr"),
            Map.entry("stocks", "--device cpu --k 10 --steps 4 --gemm cublas --out stocks"),
            Map.entry("pwl", "conditioned --device cpu --steps 4 --out pwl"),
            Map.entry("step", "forward-only --device cpu --steps 4 --gemm cublas --out step"),
            Map.entry("run", "parity/run.json --device cpu --out run"),
            Map.entry("theory", "--only theorem-3 --quick --device cpu --out theory"),
            Map.entry("plot", "parity"),
            Map.entry("compare", "parity parity --out compare"),
            Map.entry("export", "parity"),
            Map.entry("completion", ""),
            Map.entry("doctor", "--device cpu"),
            Map.entry("kernels check", "sgd dense_forward --cases 1 --device cpu"),
            Map.entry("kernels list", ""),
            Map.entry("bench parity", "--d 5 --steps 4 --windows 1 --device cpu"),
            Map.entry("profile none", "--steps 5 --out profiled -- parity --device cpu --d 5 --steps 20"),
            Map.entry("bench elementwise", "--n 1000 --device cpu"),
            Map.entry("bench launch", "--device cpu"));

    /** Those that do what others do, in processes of their own or at length. */
    private static final Set<String> OTHERS = Set.of(
            "reproduce",
            "sweep",
            "merge",
            "status",
            "gpu-check",
            "kernels bench",
            "profile nsys",
            "profile ncu",
            "bench tuple",
            "bench snr",
            "bench stocks",
            "bench pwl",
            "bench step");

    private static final String CALLS = "PLATEAU_NVTX_CALLS";
    private static final String RUN = "parity d 5, batch 8, lr 0.01, seed 1";

    @TempDir
    Path folder;

    /** Runs command lines one after the other, and marks in the calls where each ends. */
    static final class Several {
        public static void main(String[] lines) {
            PrintWriter out = new PrintWriter(System.out, true);
            PrintWriter err = new PrintWriter(System.err, true);
            for (String line : lines) {
                int code = Main.run(
                        CommandLine.defaultFactory(), out, err, line.strip().split(" +"));
                try {
                    Files.writeString(
                            Path.of(System.getenv(CALLS)),
                            "end %d %s%n".formatted(code, line),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.APPEND);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    @Test
    void rangesOfEveryCommandAreNested() throws Exception {
        Set<String> commands = new TreeSet<>();
        leaves("", Main.commandLine(CommandLine.defaultFactory()), commands);
        Set<String> known = new TreeSet<>(OTHERS);
        known.addAll(SMALL.keySet());
        assertEquals(commands, known, "a command is neither tried here nor said to do what others do");

        List<String> lines = new ArrayList<>(List.of("parity " + SMALL.get("parity"))); // what others read
        SMALL.forEach((command, words) -> {
            if (!command.equals("parity")) {
                lines.add(command + " " + words);
            }
        });
        String failing = "parity --device cpu --d 5 --steps 200 --batch 8 --lr 1e30 --out failing";
        lines.add(failing);
        List<String> calls = calls(Several.class, Map.of(), lines.toArray(String[]::new));

        List<String> ends =
                calls.stream().filter(call -> call.startsWith("end ")).toList();
        assertEquals(
                lines.stream()
                        .map(line -> "end %d %s".formatted(line.equals(failing) ? 1 : 0, line))
                        .toList(),
                ends);
        Map<String, Set<String>> categories = nested(calls);
        assertEquals(
                Set.of("run", "set-up", "capture", "replay", "evaluation", "checkpoint"),
                categories.get("end 0 " + lines.getFirst()));
        for (String command : List.of("step", "tuple")) {
            assertTrue(
                    categories
                            .get("end 0 " + command + " " + SMALL.get(command))
                            .contains("library"),
                    command);
        }
        assertEquals(Set.of("run"), categories.get("end 0 theory " + SMALL.get("theory")));

        assertTrue(calls.contains("domain plateau"), calls::toString);
        assertTrue(calls.contains("stream 1 " + RUN), calls::toString);
        assertTrue(calls.stream().anyMatch(call -> call.matches("context 1 cpu:0 .*")), calls::toString);
        assertTrue(calls.stream().anyMatch(call -> call.matches("thread \\d+ run-0")), calls::toString);
        assertEquals(
                1, calls.stream().filter(("register " + RUN)::equals).count(), "a name that recurs is registered once");

        Finished.here(("parity " + SMALL.get("parity").replace("--out parity", "--out " + folder.resolve("without")))
                        .split(" "))
                .assertOk();
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("without/metrics.csv")),
                Files.readAllBytes(folder.resolve("parity/metrics.csv")));
    }

    /** A driver that refuses a capture, and one that refuses a launch while steps are enqueued. */
    @Test
    void rangesOfWhatTheDriverRefusesAreClosed() throws Exception {
        for (String fault : List.of("cuGraphInstantiate:2:2", "cuGraphLaunch:3:719")) {
            List<String> calls = calls(
                    Several.class,
                    Map.of("PLATEAU_FAULT", fault),
                    "parity --device cpu --d 5 --steps 200 --batch 8 --out " + fault.replace(':', '-'));
            assertTrue(calls.getLast().startsWith("end 1 parity"), calls::toString);
            nested(calls);
        }
    }

    @Test
    void rangesAreClosedWhenASignalEndsTheCommand() throws Exception {
        Path file = folder.resolve("calls");
        Process process = Finished.start(
                folder,
                List.of(),
                environment(file, Map.of()),
                "parity --device cpu --d 30 --steps 100000000 --out signal".split(" "));
        while (process.isAlive()
                && !(Files.exists(file) && Files.readString(file).contains(" steps "))) {
            process.waitFor(20, TimeUnit.MILLISECONDS);
        }
        process.destroy();
        assertEquals(143, Finished.await(folder, process).code());
        List<String> calls = new ArrayList<>(Files.readAllLines(file));
        calls.add("end 143");
        assertTrue(nested(calls).get("end 143").contains("replay"));
    }

    private static void leaves(String path, CommandLine command, Set<String> found) {
        if (command.getSubcommands().isEmpty()) {
            found.add(path);
        }
        command.getSubcommands().forEach((name, below) -> leaves((path + " " + name).strip(), below, found));
    }

    private Map<String, String> environment(Path file, Map<String, String> more) {
        Map<String, String> environment = new HashMap<>(more);
        environment.put(
                "PLATEAU_LIBNVTX",
                Path.of(System.getProperty("plateau.basedir"), "target/test-classes/plateau/native/nvtx")
                        .resolve("libnvtx3interop.so.1")
                        .toString());
        environment.put(CALLS, file.toString());
        return environment;
    }

    private List<String> calls(Class<?> program, Map<String, String> more, String... lines) throws Exception {
        Path file = Files.createTempFile(folder, "calls", "");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                program.getName()));
        command.addAll(List.of(lines));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("output").toFile());
        builder.environment().putAll(environment(file, more));
        Process process = builder.start();
        assertTrue(process.waitFor(2, TimeUnit.MINUTES), "it hangs");
        assertEquals(0, process.exitValue(), () -> read(folder.resolve("output")));
        return Files.readAllLines(file);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Sees that ranges are nested on each thread, lie in a category that has a name, and are all
     * closed where a command ends; returns the categories of each command, by the line of its end.
     */
    private static Map<String, Set<String>> nested(List<String> calls) {
        Map<String, Deque<String>> open = new HashMap<>();
        Map<String, String> names = new HashMap<>();
        Map<String, Set<String>> categories = new HashMap<>();
        Set<String> used = new TreeSet<>();
        for (String call : calls) {
            String[] words = call.split(" ");
            switch (words[0]) {
                case "category" -> names.put(words[1], words[2]);
                case "push" -> {
                    assertTrue(names.containsKey(words[2]), call);
                    assertTrue(!call.contains("wrong"), call);
                    used.add(names.get(words[2]));
                    open.computeIfAbsent(words[1], _ -> new ArrayDeque<>()).push(call);
                }
                case "pop" -> {
                    assertTrue(open.containsKey(words[1]) && !open.get(words[1]).isEmpty(), call);
                    open.get(words[1]).pop();
                }
                case "end" -> {
                    assertEquals(
                            List.of(),
                            open.values().stream().flatMap(Deque::stream).toList(),
                            "open at: " + call);
                    categories.put(call, Set.copyOf(used));
                    used.clear();
                }
                default -> assertTrue(!call.startsWith("wrong"), call);
            }
        }
        assertEquals(
                Set.of("run", "set-up", "capture", "replay", "evaluation", "checkpoint", "library"),
                names.values().stream().collect(Collectors.toSet()));
        return categories;
    }
}
