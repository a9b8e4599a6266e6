package plateau.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The steps of the acceptance run, those that tell most in a second before the others. */
final class GpuCheckSteps {
    /** The first of them: what there is. */
    static final String DOCTOR = "doctor";

    /** How far one loss may lie from the other after a few steps on two devices. */
    private static final double FIRST_DIFFERENCE = 1e-3;

    private static final int SEEDS = 16;

    /** One step of each experiment, for tools that look at every access to memory. */
    private static final List<List<String>> SHORT = List.of(
            List.of("parity", "--d", "5", "--steps", "1"),
            List.of("step", "--steps", "1", "--batch", "16"),
            List.of("pwl", "--steps", "1"),
            List.of("stocks", "--k", "10", "--steps", "1"),
            List.of("snr", "--k", "2", "--batch", "50", "--samples", "50"),
            List.of("tuple", "--k", "1", "--steps", "1", "--batch", "4"));

    private final List<String> doctor = new ArrayList<>();
    private final Optional<Path> peers;

    private GpuCheckSteps(Optional<Path> peers) {
        this.peers = peers;
    }

    /**
     * All of them.
     *
     * @param peers the script that measures PyTorch and JAX
     */
    static List<GpuCheckStep> all(Optional<Path> peers) {
        return new GpuCheckSteps(peers).table();
    }

    private List<GpuCheckStep> table() {
        return List.of(
                step(DOCTOR, 60, this::doctor),
                step("kernels", 90, GpuCheckSteps::kernels),
                step("parity", 60, run -> trained(run, "parity", "--d", "5,10", "--steps", steps(run, 1))),
                step("step", 60, run -> trained(run, "step", "--steps", steps(run, 1))),
                step("pwl", 60, run -> trained(run, "pwl", "--steps", steps(run, 1))),
                step("stocks", 60, run -> trained(run, "stocks", "--k", "10,100", "--steps", steps(run, 1))),
                step("snr", 60, run -> trained(run, "snr", "--k", "1,3", "--samples", steps(run, 200))),
                step(
                        "tuple",
                        90,
                        run -> trained(run, "tuple", "--k", "1,2", "--batch", "50", "--steps", steps(run, 1))),
                step("seeds", 60, run -> seeds(run, "d-10-", "parity", "--d", "10", "--steps", steps(run, 1))),
                step("resume", 60, GpuCheckSteps::resume),
                step("bench-launch", 30, GpuCheckSteps::benchLaunch),
                step("bench-parity", 60, run -> bench(run, "parity", "--d", "10,30")),
                step("bench-replicas", 60, GpuCheckSteps::benchReplicas),
                step("bench-step", 60, run -> bench(run, "step")),
                step("batch", 90, GpuCheckSteps::batch),
                gpuStep("memcheck", 150, run -> sanitizer(run, "memcheck")),
                step("bench-pwl", 60, run -> bench(run, "pwl")),
                step("bench-stocks", 60, run -> bench(run, "stocks", "--k", "10,1000")),
                step("bench-tuple", 60, run -> bench(run, "tuple", "--k", "2")),
                step("seeds-cublas", 60, this::seedsCublas),
                step("seeds-cudnn", 60, this::seedsCudnn),
                step("bench-gemm", 60, this::benchProducts),
                step("bench-conv", 60, this::benchConvolutions),
                gpuStep("peers-torch", 90, run -> peers(run, "torch")),
                gpuStep("peers-jax", 90, run -> peers(run, "jax")),
                gpuStep("racecheck", 150, run -> sanitizer(run, "racecheck")),
                gpuStep("initcheck", 150, run -> sanitizer(run, "initcheck")),
                gpuStep("ncu", 90, GpuCheckSteps::profile),
                gpuStep("batch-images", 90, GpuCheckSteps::batchOfImages));
    }

    private static GpuCheckStep step(String name, int seconds, GpuCheckStep.Action action) {
        return new GpuCheckStep(name, seconds, false, action);
    }

    private static GpuCheckStep gpuStep(String name, int seconds, GpuCheckStep.Action action) {
        return new GpuCheckStep(name, seconds, true, action);
    }

    private static String steps(StepRun run, long factor) {
        return Long.toString(factor * run.steps());
    }

    /** Exit code 3 is that of a GPU that is not there, which the command looks for. */
    private String doctor(StepRun run) throws StepEnded, IOException, InterruptedException {
        StepRun.Output said = run.attempt(run.plateauCommand("doctor"));
        doctor.addAll(said.lines());
        said.lines().stream().filter(GpuCheckSteps::isOfGpu).forEach(run::say);
        if (said.code() == ExitCode.SKIPPED) {
            throw StepEnded.skipped(said.last().replaceFirst("^\\S+ +device +", ""));
        }
        if (said.code() != ExitCode.OK) {
            throw StepEnded.failed("exit code %d: %s".formatted(said.code(), said.last()));
        }
        return line("device")
                .map(found -> found.replaceFirst("^ok +device +", ""))
                .orElse("");
    }

    /** All that is missing, and what the GPU uses. */
    private static boolean isOfGpu(String line) {
        return !line.startsWith("ok") || line.matches("\\S+ +(NVIDIA|GPU|CUDA|cuBLAS|cuDNN) .*");
    }

    private Optional<String> line(String finding) {
        return doctor.stream()
                .filter(line -> line.matches("\\S+ +" + finding + " .*"))
                .findFirst();
    }

    private void require(String finding) throws StepEnded {
        if (!line(finding + " in use").orElse("").startsWith("ok")) {
            throw StepEnded.skipped("there is no " + finding + " in use");
        }
    }

    private static String kernels(StepRun run) throws StepEnded, IOException, InterruptedException {
        StepRun.Output said = run.attempt(run.plateauCommand("kernels", "check"));
        said.lines().stream().filter(line -> line.contains("BAD: ")).forEach(run::say);
        if (said.code() != ExitCode.OK) {
            throw StepEnded.failed(said.last());
        }
        return said.last();
    }

    /** Twice, and without graphs: the same bits. On a CPU: almost the same. */
    private static String trained(StepRun run, String... command) throws StepEnded, IOException, InterruptedException {
        List<String> words = new ArrayList<>(Arrays.asList(command));
        words.addAll(List.of("--log-every", Long.toString(Math.max(1, run.steps() / 10))));
        Path once = run.train("once", words);
        StepRun.requireSame(once, run.train("twice", words), "a second run");
        StepRun.requireSame(once, run.train("eager", words, "--no-graph"), "a run without graphs");
        if (run.isCpu()) {
            return "a second run and one without graphs give the same bits";
        }
        Differences apart = StepRun.differences(once, run.trainOnCpu("cpu", words));
        String found =
                "a CPU's runs differ by %.1e at first, and by %.1e at the end".formatted(apart.first(), apart.last());
        if (!(apart.first() <= FIRST_DIFFERENCE)) {
            throw StepEnded.failed(found);
        }
        return "a second run and one without graphs give the same bits; " + found;
    }

    /** Many runs at once, and one of them alone. */
    private static String seeds(StepRun run, String file, String... command)
            throws StepEnded, IOException, InterruptedException {
        List<String> words = List.of(command);
        Path together = run.train("together", words, "--seeds", Integer.toString(SEEDS)),
                alone = run.train("alone", words, "--seed", Integer.toString(SEEDS));
        String rows = "runs/" + file + "seed-" + SEEDS + ".csv";
        if (Files.mismatch(together.resolve(rows), alone.resolve(rows)) >= 0) {
            throw StepEnded.failed("a run gives other bits beside %d others than alone: %s".formatted(SEEDS - 1, rows));
        }
        return "a run has the same bits beside %d others as alone".formatted(SEEDS - 1);
    }

    private String seedsCublas(StepRun run) throws StepEnded, IOException, InterruptedException {
        require("cuBLAS");
        return seeds(run, "e2e-", "step", "e2e", "--gemm", "cublas", "--steps", steps(run, 1));
    }

    private String seedsCudnn(StepRun run) throws StepEnded, IOException, InterruptedException {
        require("cuDNN");
        return seeds(
                run,
                "k-1-dec-",
                "tuple",
                "--k",
                "1",
                "--mode",
                "dec",
                "--batch",
                "20",
                "--conv",
                "cudnn",
                "--steps",
                Long.toString(Math.max(1, run.steps() / 10)));
    }

    /** A run is killed as soon as it has saved itself, and goes on. */
    private static String resume(StepRun run) throws StepEnded, IOException, InterruptedException {
        List<String> words = List.of("step", "e2e", "--steps", steps(run, 30), "--checkpoint-every", steps(run, 1));
        Path whole = run.train("whole", words), broken = run.results("broken");
        StepRun.Started started = run.start(Stream.concat(words.stream(), Stream.of("--out", broken.toString()))
                .toArray(String[]::new));
        run.killOnce(started, () -> hasFiles(broken.resolve("checkpoints")));
        if (started.process().exitValue() == ExitCode.OK) {
            throw StepEnded.skipped("the run ended before it could be killed; ask for more steps");
        }
        if (!hasFiles(broken.resolve("checkpoints"))) {
            throw StepEnded.failed(
                    "no checkpoint was written: " + run.await(started).last());
        }
        run.plateau("step", "--resume", broken.toString());
        StepRun.requireSame(whole, broken, "a run that was killed and went on");
        return "a run that was killed and went on has the same bits as one that was not";
    }

    private static boolean hasFiles(Path folder) {
        String[] names = folder.toFile().list();
        return names != null && Arrays.stream(names).anyMatch(name -> name.endsWith(".safetensors"));
    }

    /** More samples than a grid has rows, and as many as an option allows. */
    private static String batch(StepRun run) throws StepEnded, IOException, InterruptedException {
        String most = run.isCpu() ? "70000" : "1048576";
        run.train("parity", List.of("parity", "--d", "5", "--steps", "2", "--batch", most));
        run.train("step", List.of("step", "e2e", "--steps", "2", "--batch", "70000"));
        run.train("pwl", List.of("pwl", "conv", "--steps", "2", "--batch", "65536"));
        return "batches of %s, 70000 and 65536 are trained on".formatted(most);
    }

    private static String batchOfImages(StepRun run) throws StepEnded, IOException, InterruptedException {
        run.train(
                "tuple",
                List.of("tuple", "--k", "16", "--mode", "e2e", "--steps", "1", "--batch", "4096", "--conv", "kernels"));
        return "a batch of 65536 images is trained on";
    }

    private static String benchLaunch(StepRun run) throws StepEnded, IOException, InterruptedException {
        List<String> said = run.plateau("bench", "launch").lines();
        said.stream().skip(1).forEach(run::say);
        return said.getLast();
    }

    /** Runs that share a graph, up to more than there are multiprocessors. */
    private static String benchReplicas(StepRun run) throws StepEnded, IOException, InterruptedException {
        return bench(run, "parity", "--d", "30", "--replicas", run.isCpu() ? "2" : "16,132,528");
    }

    private static String bench(StepRun run, String... words) throws StepEnded, IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("bench"));
        command.addAll(Arrays.asList(words));
        command.addAll(List.of("--windows", run.isCpu() ? "1" : "3"));
        List<String> speeds = run.plateau(command.toArray(String[]::new)).lines().stream()
                .filter(line -> line.contains(" steps/s, "))
                .map(line -> line.replaceFirst(" steps/s, .*", " steps/s"))
                .toList();
        speeds.forEach(run::say);
        return speeds.size() + " measured";
    }

    private String benchProducts(StepRun run) throws StepEnded, IOException, InterruptedException {
        require("cuBLAS");
        return benchBoth(run, "--gemm", "cublas", "step", "e2e");
    }

    private String benchConvolutions(StepRun run) throws StepEnded, IOException, InterruptedException {
        require("cuDNN");
        return benchBoth(run, "--conv", "cudnn", "tuple", "--k", "2", "--mode", "e2e");
    }

    private static String benchBoth(StepRun run, String option, String library, String... words)
            throws StepEnded, IOException, InterruptedException {
        for (String path : List.of(library, "kernels")) {
            run.say(option + " " + path + ":");
            bench(run, Stream.concat(Stream.of(words), Stream.of(option, path)).toArray(String[]::new));
        }
        return library + " and the kernels measured";
    }

    private static String sanitizer(StepRun run, String tool) throws StepEnded, IOException, InterruptedException {
        Path sanitizer = run.tool("compute-sanitizer");
        for (List<String> words : SHORT) {
            List<String> command = new ArrayList<>(
                    List.of(sanitizer.toString(), "--tool", tool, "--error-exitcode", "9", "--print-limit", "20"));
            command.addAll(run.plateauCommand(Stream.concat(
                            words.stream(),
                            Stream.of(
                                    "--no-graph",
                                    "--out",
                                    run.results(words.getFirst()).toString()))
                    .toArray(String[]::new)));
            StepRun.Output said = run.attempt(command);
            if (said.code() != ExitCode.OK) {
                said.lines().stream()
                        .filter(line -> line.startsWith("="))
                        .limit(8)
                        .forEach(run::say);
                throw StepEnded.failed("%s: exit code %d: %s".formatted(words.getFirst(), said.code(), said.last()));
            }
        }
        return "a step of each experiment is clean";
    }

    private static String profile(StepRun run) throws StepEnded, IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(run.tool("ncu").toString()));
        command.addAll(List.of("--clock-control", "none", "--launch-skip", "40", "--launch-count", "10"));
        for (String section : List.of("SpeedOfLight", "LaunchStats", "Occupancy")) {
            command.addAll(List.of("--section", section));
        }
        command.addAll(run.plateauCommand(
                "parity",
                "--d",
                "30",
                "--steps",
                "20",
                "--no-graph",
                "--out",
                run.results("parity").toString()));
        StepRun.Output said = run.attempt(command);
        if (said.lines().stream().anyMatch(line -> line.contains("ERR_NVGPUCTRPERM"))) {
            throw StepEnded.skipped("this user may not read the GPU's counters (ERR_NVGPUCTRPERM)");
        }
        if (said.code() != ExitCode.OK) {
            throw StepEnded.failed("exit code %d: %s".formatted(said.code(), said.last()));
        }
        said.lines().stream()
                .filter(line -> line.matches(" *(\\w+ \\(.*\\)x\\(.*\\)|Duration|Compute \\(SM\\) Throughput"
                        + "|Memory Throughput|Registers Per Thread|Achieved Occupancy) .*"))
                .map(line -> line.strip().replaceAll(" {2,}", "  "))
                .forEach(run::say);
        return "10 kernels of parity profiled";
    }

    private String peers(StepRun run, String library) throws StepEnded, IOException, InterruptedException {
        Path script = peers.orElseThrow(() -> StepEnded.skipped("no script is named that measures it"));
        Path python = run.tool("python3");
        for (List<String> what : List.of(
                List.of("parity", "--d", "30"),
                List.of("parity", "--d", "30", "--replicas", "132"),
                List.of("step-e2e"))) {
            List<String> command = new ArrayList<>(List.of(python.toString(), script.toString(), library));
            command.addAll(what);
            StepRun.Output said = run.attempt(command);
            if (said.code() == ExitCode.SKIPPED) {
                throw StepEnded.skipped(said.last());
            }
            if (said.code() != ExitCode.OK) {
                throw StepEnded.failed("exit code %d: %s".formatted(said.code(), said.last()));
            }
            run.say(said.last());
        }
        return library + " measured";
    }
}
