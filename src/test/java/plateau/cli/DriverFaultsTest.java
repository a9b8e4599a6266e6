package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Gatherers;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import plateau.cuda.Device;
import plateau.cuda.load.DeviceOptions;
import plateau.experiment.Choice;
import plateau.experiment.Kind;
import plateau.experiment.Kinds;
import plateau.reference.Faults;
import plateau.reference.LoadedImages;
import plateau.reference.Seeds;

/**
 * Every command that opens a device, with a driver whose every function fails in its first, middle
 * and last call: one line, exit code 1, whole files. Commands come from the table of commands,
 * functions from what the driver's libraries export. {@code -Dplateau.faults=all} tries all of
 * them, a number as many of each command, else some that are drawn.
 */
class DriverFaultsTest {
    private static final int DRAWN_COMMANDS = 3;
    private static final int DRAWN_FAULTS = 4;
    private static final Duration LONGEST = Duration.ofMinutes(10);

    /** More calls than a small command makes of most functions; those beyond are not counted. */
    private static final int FAR = 4000;

    private static final int OUT_OF_MEMORY = 2;
    private static final int ILLEGAL_ADDRESS = 700;

    /**
     * Without their library the hand-written kernels do its work; a warning on the process's own
     * stderr says so.
     */
    private static final Set<String> WITHOUT_HARM = Set.of("cublasCreate", "cublasGetVersion", "cudnnCreate");

    /**
     * Doctor asks NVIDIA's driver, as which the one in this process answers, whatever device it is
     * to look at, and prints what it says.
     */
    private static final Set<String> ASKED_OF_ANY_DRIVER = Set.of("cuInit", "cuDeviceGetCount");

    /** Values that make a command small, where it has the options. */
    private static final Map<String, String> SMALL = Stream.of(
                    ("--batch=4 --samples=40 --steps=4 --log-every=4 --windows=1 --n=100 --checkpoint-every=2"
                                    + " --parallel=1 --seeds=1 --only=parity")
                            .split("[ =]"))
            .gather(Gatherers.windowFixed(2))
            .collect(Collectors.toMap(List::getFirst, List::getLast));

    @TempDir
    Path folder;

    /** Those of fibers stay until the threads end that ran them. */
    private long imagesBefore;

    private Path campaign;
    private Path started;
    private MethodHandle poll;
    private MethodHandle reset;

    @BeforeEach
    void prepare() throws IOException {
        imagesBefore = LoadedImages.count();
        campaign = Files.writeString(
                folder.resolve("campaign.json"),
                "{\"experiment\": \"parity\", \"runs\": [{\"options\": {\"d\": 5, \"batch\": 4}, \"steps\": 30}]}");
        started = folder.resolve("started");
        Finished.here(("parity --device cpu --d 5 --batch 4 --steps 30 --checkpoint-every 10 --out " + started)
                        .split(" "))
                .assertOk();
        Files.delete(started.resolve("checkpoints/d-5-seed-1.safetensors")); // the one before is of step 20
        SymbolLookup loaded = SymbolLookup.loaderLookup();
        assumeTrue(loaded.find("plateau_inject_fault").isPresent(), "the CPU driver is not loaded");
        poll = Linker.nativeLinker()
                .downcallHandle(
                        loaded.find("plateau_injected_fault").orElseThrow(),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        reset = Linker.nativeLinker()
                .downcallHandle(
                        loaded.find("cuDevicePrimaryCtxReset_v2").orElseThrow(),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    }

    @AfterEach
    void clear() {
        if (reset != null) {
            recover();
        }
    }

    /** No fault any more, and nothing of what could not be given back under one. */
    private void recover() {
        Faults.clear();
        try {
            assertEquals(0, (int) reset.invokeExact(0));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** How many calls were left before an injected fault, of so many; they are used up. */
    private long left(String function, long nth) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(function);
            MemorySegment code = arena.allocate(ValueLayout.JAVA_INT);
            for (long i = 1; i <= nth; i++) {
                if ((int) poll.invokeExact(name, code) == 1) {
                    return i;
                }
            }
            return 0;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private record Command(List<String> words, boolean resumes) {
        @Override
        public String toString() {
            return String.join(" ", words);
        }
    }

    private record Fault(String function, long nth, int code) {}

    private record Outcome(int code, List<String> out, List<String> err, boolean left) {}

    @Test
    @Timeout(value = 3, unit = TimeUnit.HOURS)
    void everyFailureIsToldInOneLine(TestReporter reporter) throws Exception {
        String asked = System.getProperty("plateau.faults", "");
        int each = asked.isEmpty() ? DRAWN_FAULTS : asked.equals("all") ? Integer.MAX_VALUE : Integer.parseInt(asked);
        Seeds seeds = Seeds.next();
        Random random = new Random(seeds.seed());
        List<Command> commands = commands();
        if (asked.isEmpty()) {
            commands.removeIf(command -> command.words.getFirst().equals("reproduce")); // takes seconds
            Collections.shuffle(commands, random);
            commands = commands.subList(0, DRAWN_COMMANDS);
        }
        int injected = 0;
        int missed = 0;
        List<String> wrong = new ArrayList<>();
        Map<String, Integer> silent = new TreeMap<>();
        for (Command command : commands) {
            List<Fault> faults = faults(command);
            Collections.shuffle(faults, random);
            faults = faults.subList(0, Math.min(each, faults.size()));
            int before = wrong.size();
            for (Fault fault : faults) {
                Faults.inject(fault.function, fault.nth, fault.code);
                Outcome outcome = assertTimeoutPreemptively(
                        LONGEST, () -> run(command), () -> seeds.message(command + " with " + fault));
                if (left(fault.function, fault.nth) > 0) {
                    missed++; // it makes fewer calls than the time before
                } else {
                    injected++;
                    if (outcome.code == ExitCode.OK) {
                        silent.merge(fault.function, 1, Integer::sum);
                    }
                    problem(command, fault, outcome)
                            .ifPresent(what -> wrong.add(command + " with " + fault + ": " + what));
                }
                recover();
                assertEquals(
                        imagesBefore,
                        LoadedImages.count(),
                        () -> seeds.message("images stay after " + command + " with " + fault));
                brokenFile().ifPresent(what -> wrong.add(command + " with " + fault + ": " + what));
            }
            reporter.publishEntry("%s: %d faults, %d wrong".formatted(command, faults.size(), wrong.size() - before));
            wrong.subList(before, wrong.size()).forEach(reporter::publishEntry);
        }
        reporter.publishEntry("%d commands, %d faults, %d missed, %d wrong, passed by: %s"
                .formatted(commands.size(), injected, missed, wrong.size(), silent));
        assertEquals(List.of(), wrong, () -> seeds.message("\n" + String.join("\n", wrong) + "\n"));
    }

    private static Optional<String> problem(Command command, Fault fault, Outcome outcome) {
        if (outcome.code == ExitCode.OK) {
            boolean isTold = command.words.getFirst().equals("doctor")
                    && ASKED_OF_ANY_DRIVER.contains(fault.function)
                    && outcome.out.stream().anyMatch(line -> line.contains(fault.function));
            return isTold || WITHOUT_HARM.contains(fault.function)
                    ? Optional.empty()
                    : Optional.of("it passes in silence");
        }
        if (outcome.code != ExitCode.FAILED
                || outcome.err.size() != 1
                || !outcome.err.getFirst().startsWith("plateau: ")
                || BadCommandLinesTest.PROGRAMMERS_WORDS
                        .matcher(outcome.err.getFirst())
                        .find()) {
            return Optional.of("exit code " + outcome.code + " " + outcome.err);
        }
        if (!outcome.err.getFirst().contains(fault.function)) {
            return Optional.of("another failure is told: " + outcome.err);
        }
        return outcome.left ? Optional.of("something is left on the device") : Optional.empty();
    }

    /** First, middle and last call of everything that a command calls, as counted once. */
    private List<Fault> faults(Command command) throws Exception {
        Set<String> functions = functions();
        functions.forEach(function -> Faults.inject(function, FAR, OUT_OF_MEMORY));
        run(command);
        Map<String, Long> calls = new LinkedHashMap<>();
        functions.forEach(function -> calls.put(function, FAR - left(function, FAR)));
        Faults.clear();
        List<Fault> faults = new ArrayList<>();
        calls.forEach((function, count) -> new TreeSet<>(List.of(1L, (count + 1) / 2, count))
                .stream().filter(nth -> nth > 0 && count > 0).forEach(nth -> {
                    faults.add(new Fault(function, nth, OUT_OF_MEMORY));
                    faults.add(new Fault(function, nth, ILLEGAL_ADDRESS));
                }));
        return faults;
    }

    /** Words of the program's own sources: functions that none of them names are not called. */
    private static Set<String> namedInSources() throws IOException {
        Set<String> names = new TreeSet<>();
        try (Stream<Path> sources =
                Files.walk(Path.of(System.getProperty("plateau.basedir", "."), "src/main/java/plateau"))) {
            for (Path source : sources.filter(path -> path.toString().endsWith(".java"))
                    .filter(path -> !path.getParent().endsWith("bindings"))
                    .toList()) {
                for (String word : Files.readString(source).split("\\W+")) {
                    names.add(word.replaceFirst("_v\\d+$", ""));
                }
            }
        }
        return names;
    }

    /**
     * What the libraries of the CPU driver export and the program names, without the versions in
     * the names.
     */
    private static Set<String> functions() throws Exception {
        Set<String> functions = new TreeSet<>();
        Path libraries = Path.of(System.getProperty("plateau.basedir", "."), "target/classes/plateau/native");
        for (String library : List.of("libcuda.so.1", "libcublas.so.12", "libcudnn.so.9")) {
            Process nm = new ProcessBuilder(
                            "nm",
                            "-D",
                            "--defined-only",
                            libraries.resolve(library).toString())
                    .start();
            nm.inputReader()
                    .lines()
                    .map(line ->
                            line.replaceFirst(".* ", "").replaceFirst("@.*", "").replaceFirst("_v\\d+(_ptsz)?$", ""))
                    .filter(name -> name.startsWith("cu"))
                    .forEach(functions::add);
            assertEquals(0, nm.waitFor(), library);
        }
        functions.retainAll(namedInSources());
        assertFalse(functions.isEmpty());
        return functions;
    }

    /** Every command that opens a device, small; those that train also go on from a checkpoint. */
    private List<Command> commands() {
        List<Command> commands = new ArrayList<>();
        add(List.of(), Main.commandLine(CommandLine.defaultFactory()).getCommandSpec(), commands);
        commands.add(
                new Command(List.of("parity", "--resume", folder.resolve("out").toString()), true));
        return commands;
    }

    private void add(List<String> path, CommandSpec command, List<Command> commands) {
        command.subcommands().forEach((name, below) -> add(plus(path, name), below.getCommandSpec(), commands));
        if (command.findOption("--device") == null) {
            return;
        }
        List<String> words = plus(path, "--device", "cpu");
        if (command.positionalParameters().stream()
                .anyMatch(parameter -> parameter.arity().min() > 0)) {
            words.add(campaign.toString());
        }
        SMALL.forEach((option, value) -> {
            if (command.findOption(option) != null) {
                words.addAll(List.of(option, value));
            }
        });
        if (command.findOption("--out") != null) {
            words.addAll(List.of("--out", folder.resolve("out").toString()));
        }
        Kinds.all().stream()
                .filter(kind -> kind.name().equals(command.name()))
                .map(Kind::choices)
                .flatMap(choices -> choices.differing().stream())
                .filter(Predicate.not(Choice::main))
                .filter(choice -> choice.constants().isEmpty())
                .forEach(choice ->
                        words.addAll(List.of("--" + choice.name(), choice.each().getFirst())));
        commands.add(new Command(words, false));
    }

    private static List<String> plus(List<String> path, String... words) {
        List<String> longer = new ArrayList<>(path);
        Collections.addAll(longer, words);
        return longer;
    }

    private Outcome run(Command command) throws IOException {
        Path out = folder.resolve("out");
        DamagedFilesTest.delete(out);
        if (command.resumes) {
            DamagedFilesTest.copy(started, out);
        }
        List<Device> opened = new ArrayList<>();
        StringWriter print = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine.IFactory factory = Finished.opening((DeviceOptions options) -> {
            Device device = Device.open(options);
            opened.add(device);
            return device;
        });
        int code = Main.run(
                factory,
                new PrintWriter(print, true),
                new PrintWriter(err, true),
                command.words.toArray(String[]::new));
        boolean left = opened.stream().anyMatch(device -> device.live().buffers() > 0);
        return new Outcome(
                code, print.toString().lines().toList(), err.toString().lines().toList(), left);
    }

    /** The first file in the folder that is not whole. */
    private Optional<String> brokenFile() throws IOException {
        Path out = folder.resolve("out");
        if (!Files.exists(out)) {
            return Optional.empty();
        }
        ObjectMapper json = new ObjectMapper();
        try (Stream<Path> files = Files.walk(out)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = file.getFileName().toString();
                String text = name.matches(".*\\.(csv|jsonl?)") ? Files.readString(file) : "\n";
                if (!text.isEmpty() && !text.endsWith("\n") || name.endsWith(".tmp")) {
                    return Optional.of(file + " is not whole");
                }
                for (String line : name.endsWith(".jsonl") ? text.lines().toList() : List.<String>of()) {
                    json.readTree(line);
                }
                if (name.endsWith(".json")) {
                    json.readTree(text);
                }
            }
        } catch (com.fasterxml.jackson.core.JacksonException e) {
            return Optional.of(e.getMessage());
        }
        return Optional.empty();
    }
}
