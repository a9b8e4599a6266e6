package plateau.cli;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import plateau.cuda.load.DeviceOptions;
import plateau.results.Results;

/**
 * A step of a check while it runs: it starts processes, each with an end at the latest and a file
 * for all it says, and looks at what they leave. What it finds is kept as lines for a reader.
 */
final class StepRun {
    private static final int POLL_MILLISECONDS = 5;

    private final Setting setting;
    private final String name;
    private final long deadline;
    private final String overdue;
    private final List<String> lines = new ArrayList<>();
    private int processes;

    /**
     * What all steps of a check have in common.
     *
     * @param program what starts this program
     * @param device the options that name the device, each followed by its value
     * @param isCpu whether that is the CPU
     * @param path folders of tools, as the environment variable PATH has them
     * @param folder for what the steps leave
     * @param steps training steps of a run
     * @param ended whether no process is to be started any more
     */
    record Setting(
            List<String> program,
            List<String> device,
            boolean isCpu,
            String path,
            Path folder,
            long steps,
            AtomicBoolean ended) {
        Path logs() {
            return folder.resolve("logs");
        }

        Path runs() {
            return folder.resolve("runs");
        }
    }

    /** A process that has ended. */
    record Output(int code, List<String> lines) {
        /** The last thing it said. */
        String last() {
            return lines.isEmpty() ? "it said nothing" : lines.getLast();
        }
    }

    /**
     * Begins a step.
     *
     * @param name for files
     * @param deadline by {@link System#nanoTime}
     * @param overdue what is said where it takes longer; null if all time there was is then over
     */
    StepRun(Setting setting, String name, long deadline, String overdue) {
        this.setting = setting;
        this.name = name;
        this.deadline = deadline;
        this.overdue = overdue;
    }

    boolean isCpu() {
        return setting.isCpu;
    }

    /** Training steps of a run. */
    long steps() {
        return setting.steps;
    }

    /** What was found, for a reader. */
    List<String> lines() {
        return lines;
    }

    void say(String line) {
        lines.add(line);
    }

    /** A folder of this step for results, which is not there yet. */
    Path results(String what) {
        return setting.runs().resolve(name + "-" + what);
    }

    /** Runs a command of this program on the device, to its good end. */
    Output plateau(String... words) throws StepEnded, IOException, InterruptedException {
        return requireOk(attempt(plateauCommand(words)), words);
    }

    /** Likewise on the CPU. */
    Output plateauOnCpu(String... words) throws StepEnded, IOException, InterruptedException {
        List<String> command = new ArrayList<>(setting.program);
        command.addAll(Arrays.asList(words));
        command.addAll(List.of("--device", "cpu"));
        return requireOk(await(start(command, true)), words);
    }

    /** What runs a command of this program on the device, for tools that start it. */
    List<String> plateauCommand(String... words) {
        List<String> command = new ArrayList<>(setting.program), given = Arrays.asList(words);
        command.addAll(given);
        for (int i = 0; i + 1 < setting.device.size(); i += 2) {
            if (!given.contains(setting.device.get(i))) {
                command.addAll(setting.device.subList(i, i + 2));
            }
        }
        return command;
    }

    /** Runs a command to its end, whatever that is. */
    Output attempt(List<String> command) throws StepEnded, IOException, InterruptedException {
        return await(start(command, false));
    }

    private static Output requireOk(Output output, String... words) throws StepEnded {
        if (output.code != ExitCode.OK) {
            throw StepEnded.failed("plateau %s: exit code %d: %s".formatted(words[0], output.code, output.last()));
        }
        return output;
    }

    /**
     * Trains on the device.
     *
     * @return the folder of the results
     */
    Path train(String what, List<String> command, String... more) throws StepEnded, IOException, InterruptedException {
        Path out = results(what);
        plateau(training(out, command, more));
        return out;
    }

    /** Likewise on the CPU. */
    Path trainOnCpu(String what, List<String> command, String... more)
            throws StepEnded, IOException, InterruptedException {
        Path out = results(what);
        plateauOnCpu(training(out, command, more));
        return out;
    }

    private static String[] training(Path out, List<String> command, String... more) {
        return Stream.of(command.stream(), Stream.of(more), Stream.of("--out", out.toString()))
                .flatMap(words -> words)
                .toArray(String[]::new);
    }

    /** A process, and where what it says goes. */
    record Started(Process process, Path log) {
        /** Ends it and all that it has started. */
        void kill() throws InterruptedException {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
        }
    }

    /** Starts a command of this program on the device. */
    Started start(String... words) throws StepEnded, IOException {
        return start(plateauCommand(words), false);
    }

    private Started start(List<String> command, boolean ownLibraries) throws StepEnded, IOException {
        if (setting.ended.get()) {
            throw StepEnded.skipped("interrupted");
        }
        Path log = setting.logs().resolve(name + "-" + ++processes + ".txt");
        Files.writeString(log, "$ " + String.join(" ", command) + "\n");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(setting.runs().toFile())
                .redirectInput(Redirect.from(new File("/dev/null")))
                .redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(log.toFile()));
        if (ownLibraries) {
            List.of(DeviceOptions.LIBCUDA, DeviceOptions.LIBCUBLAS, DeviceOptions.LIBCUDNN)
                    .forEach(builder.environment()::remove);
        }
        try {
            return new Started(builder.start(), log);
        } catch (IOException e) {
            throw StepEnded.failed(e.getMessage());
        }
    }

    /** Waits for a process, no longer than the step may take. */
    Output await(Started started) throws StepEnded, IOException, InterruptedException {
        if (!started.process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            throw overdue(started);
        }
        return new Output(started.process.exitValue(), said(started.log));
    }

    /** Kills a process, where it has not ended, as soon as that is so. */
    void killOnce(Started started, BooleanSupplier reached) throws StepEnded, IOException, InterruptedException {
        while (!started.process.waitFor(POLL_MILLISECONDS, TimeUnit.MILLISECONDS) && !reached.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw overdue(started);
            }
        }
        started.kill();
    }

    private StepEnded overdue(Started started) throws IOException, InterruptedException {
        started.kill();
        return overdue == null
                ? StepEnded.skipped("the time was over")
                : StepEnded.failed(overdue + ": " + new Output(0, said(started.log)).last());
    }

    private static List<String> said(Path log) throws IOException {
        String all = new String(Files.readAllBytes(log), StandardCharsets.UTF_8); // whatever a tool writes
        return all.lines().skip(1).filter(line -> !line.isBlank()).toList();
    }

    /** Where a tool is: on the path, or where CUDA is installed. */
    Path tool(String tool) throws StepEnded {
        return NvidiaTool.find(tool, setting.path).orElseThrow(() -> StepEnded.skipped(tool + " is not installed"));
    }

    /** Two folders' tables are the same to the byte. */
    static void requireSame(Path one, Path other, String what) throws StepEnded, IOException {
        for (Path table : tables(one)) {
            long at = Files.mismatch(table, other.resolve(one.relativize(table)));
            if (at >= 0) {
                throw StepEnded.failed("%s gives other bits: %s and %s differ from byte %d on"
                        .formatted(what, table, other.resolve(one.relativize(table)), at));
            }
        }
    }

    /** What holds all that runs have logged and learnt. */
    private static List<Path> tables(Path folder) {
        return Stream.of("metrics.csv", "curves.csv")
                .map(folder::resolve)
                .filter(Files::exists)
                .toList();
    }

    /** How far results on two devices lie apart. */
    static Differences differences(Path one, Path other) throws IOException {
        return Differences.between(
                Results.read(one).histories(), Results.read(other).histories());
    }
}
