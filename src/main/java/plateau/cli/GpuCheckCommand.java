package plateau.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.cli.StepEnded.Verdict;
import plateau.cuda.load.DeviceSelector;
import plateau.results.ResultFolder;
import plateau.results.ResultFolder.Purpose;

/** The acceptance run on a machine with a GPU. */
@Command(
        name = "gpu-check",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Finds out whether and how fast all of this runs on a GPU: each kernel against its reference; every"
                    + " experiment twice, without graphs, and on the CPU; many runs at once; a run that is killed and"
                    + " goes on; the largest batches; speeds, beside those of PyTorch and JAX where they are installed;"
                    + " compute-sanitizer and ncu where they are.",
            "What tells most in a second comes first. Each step is a process of its own with a limit of its own: one"
                    + " that crashes or hangs ends none of the others.",
            "Exit code 1 where a step fails, 3 where there is no GPU."
        },
        footer = {
            "",
            "Examples:",
            "  plateau gpu-check --seconds 600",
            "      in ten minutes, into ./gpu-check",
            "  plateau gpu-check --only doctor,kernels --device cuda:1",
            "      two of the steps, on the second GPU"
        })
final class GpuCheckCommand implements Callable<Integer> {
    private static final String FOLDER = "gpu-check";

    /** What a GPU's step takes at most, a CPU's may take so many times. */
    private static final int CPU_PATIENCE = 10;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "to spend; steps that are left then are skipped (default: 420)")
    private int seconds = 420;

    @Option(names = "--steps", paramLabel = "N", description = "training steps of a run (default: 300)")
    private int steps = 300;

    @Option(
            names = "--only",
            paramLabel = "STEPS",
            description = "steps of the check, after the first, doctor (default: all)")
    private String only;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "folder for the report, which is not there yet or empty (default: " + FOLDER
                    + ", or the first of " + FOLDER + "-2 and so on that is not there)")
    private Path out;

    @Option(names = "--peers", paramLabel = "FILE", hidden = true, description = "tools/gpu-peers.py")
    private Optional<Path> peers = Optional.empty();

    @Mixin
    private OneDeviceMixin device;

    @Mixin
    private OwnProgram program;

    @Override
    public Integer call() throws IOException, InterruptedException {
        device.otherwise("cuda");
        device.check();
        List<GpuCheckStep> wanted = wanted();
        try (ResultFolder folder = CampaignRunner.claim(folder(), Purpose.NEW, "gpu-check", "--out")) {
            StepRun.Setting setting = new StepRun.Setting(
                    program.command(),
                    deviceWords(),
                    device.selector().kind() == DeviceSelector.Kind.CPU,
                    System.getenv().getOrDefault("PATH", ""),
                    folder.path().toAbsolutePath(),
                    steps,
                    new AtomicBoolean());
            folder.begin();
            Files.createDirectories(setting.logs());
            Files.createDirectories(setting.runs());
            Thread ending = new Thread(() -> {
                setting.ended().set(true);
                ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
                CampaignRunner.leave(folder);
            });
            Runtime.getRuntime().addShutdownHook(ending);
            int code = run(wanted, setting, new GpuCheckReport(folder, device.text()));
            Runtime.getRuntime().removeShutdownHook(ending);
            return code;
        }
    }

    private List<GpuCheckStep> wanted() {
        if (device.selector().kind() == DeviceSelector.Kind.AUTO) {
            throw new IllegalArgumentException(
                    "--device auto: name the device that is to be checked, for example cuda");
        }
        if (seconds < 1 || steps < 1) {
            throw new IllegalArgumentException("--seconds and --steps are 1 or more");
        }
        peers.filter(file -> !Files.isRegularFile(file)).ifPresent(file -> {
            throw new IllegalArgumentException("--peers: there is no file " + file);
        });
        List<GpuCheckStep> all = GpuCheckSteps.all(peers.map(Path::toAbsolutePath));
        List<String> names = all.stream().map(GpuCheckStep::name).toList();
        List<String> chosen = TypedValues.names("--only", only, names);
        return all.stream()
                .filter(step -> chosen.contains(step.name()) || step.name().equals(GpuCheckSteps.DOCTOR))
                .toList();
    }

    private Path folder() throws IOException {
        if (out == null) {
            return Stream.iterate(1, number -> number + 1)
                    .map(number -> Path.of(number == 1 ? FOLDER : FOLDER + "-" + number))
                    .filter(Files::notExists)
                    .findFirst()
                    .orElseThrow();
        }
        if (Files.exists(out)) {
            try (Stream<Path> inside = Files.list(out)) {
                if (inside.findAny().isPresent()) {
                    throw new CommandFailedException(
                            "--out " + out + ": there is something in that folder; name another");
                }
            }
        }
        return out;
    }

    /** The device first, as the default is another one elsewhere. */
    private List<String> deviceWords() {
        List<String> words = new ArrayList<>(device.typed());
        if (!words.contains("--device")) {
            words.addAll(0, List.of("--device", device.text()));
        }
        return words;
    }

    private int run(List<GpuCheckStep> wanted, StepRun.Setting setting, GpuCheckReport report)
            throws IOException, InterruptedException {
        PrintWriter print = spec.commandLine().getOut();
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        boolean none = false;
        for (GpuCheckStep step : wanted) {
            GpuCheckReport.Entry entry = entry(step, setting, end);
            report.add(entry);
            entry.text().forEach(print::println);
            none = step.name().equals(GpuCheckSteps.DOCTOR) && entry.verdict() == Verdict.SKIPPED;
            if (none) {
                break;
            }
        }
        print.println();
        print.println(none ? "NO GPU: nothing was checked" : report.sum());
        print.println("wrote %s and %s".formatted(report.page(), report.json()));
        if (none) {
            spec.commandLine().getErr().println("plateau: NO GPU: nothing was checked");
            return ExitCode.SKIPPED;
        }
        List<String> failed = report.named(Verdict.FAILED);
        if (!failed.isEmpty()) {
            spec.commandLine()
                    .getErr()
                    .println("plateau: %d of %d steps failed: %s"
                            .formatted(failed.size(), wanted.size(), String.join(", ", failed)));
        }
        return failed.isEmpty() ? ExitCode.OK : ExitCode.FAILED;
    }

    private GpuCheckReport.Entry entry(GpuCheckStep step, StepRun.Setting setting, long end)
            throws InterruptedException {
        int limit = step.seconds() * (setting.isCpu() ? CPU_PATIENCE : 1);
        long start = System.nanoTime(), own = start + limit * 1_000_000_000L;
        StepRun run = own < end
                ? new StepRun(setting, step.name(), own, "it took longer than " + limit + " s")
                : new StepRun(setting, step.name(), end, null);
        Verdict verdict = Verdict.OK;
        String detail;
        try {
            if (start >= end) {
                throw StepEnded.skipped("the time was over");
            }
            if (step.gpuOnly() && setting.isCpu()) {
                throw StepEnded.skipped("for GPUs alone");
            }
            detail = step.action().run(run);
        } catch (StepEnded e) {
            verdict = e.verdict();
            detail = e.getMessage();
        } catch (IOException | RuntimeException e) { // of what a step looks at: the others go on
            verdict = Verdict.FAILED;
            detail = Main.explain(e);
        }
        return new GpuCheckReport.Entry(step.name(), verdict, (System.nanoTime() - start) / 1e9, detail, run.lines());
    }
}
