package plateau.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import plateau.bench.DeviceCeilings;
import plateau.bench.KernelProfile;
import plateau.bench.TraceEvents;
import plateau.cuda.Device;
import plateau.cuda.ProfilerWindow;
import plateau.cuda.Timeline;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;
import plateau.cuda.trace.Recording;
import plateau.cuda.trace.Trace;
import plateau.results.ResultFolder;
import plateau.results.ResultFolder.Purpose;

/** A profile by this program's own means. */
@Command(
        name = "none",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "A profile without any other program, on every device: each operation is enqueued eagerly between two"
                    + " events, one run at a time.",
            "Prints for each kernel its calls, their time, its launch shapes and, by the median of its time, GB/s,"
                    + " GFLOP/s and how near it is to the least time that its arithmetic, its memory and a launch need"
                    + " on this device. Writes that as kernels.csv, and when each operation ran as trace.json, for"
                    + " https://ui.perfetto.dev or chrome://tracing.",
            "On a GPU the time between two events has a part, about 2 us, that is no kernel's: kernels that are"
                    + " shorter look longer than they are in a graph."
        },
        footer = {
            "",
            "Examples:",
            "  plateau profile none -- parity --d 30",
            "      200 steps after the first 100, into ./profile",
            "  plateau profile none --skip 10 --steps 20 --out tuple-profile -- tuple --k 1 --mode e2e --steps 40",
            "      20 steps of another experiment"
        })
final class ProfileNoneCommand implements Callable<Integer> {
    private static final int MOST_OPERATIONS = 20_000;
    /** A row for each kernel, the longest in all first. */
    static final String TABLE = "kernels.csv";

    private static final String TRACE = "trace.json";

    @Spec
    private CommandSpec spec;

    @Mixin
    private ProfileMixin profile;

    @Override
    public Integer call() throws IOException {
        ProfileMixin.Target target = profile.target(spec);
        Path folder = profile.folder();
        ProfileMixin.Target eager = target.with("--no-graph")
                .with("--parallel", "1")
                .with("--out", folder.resolve(ProfileMixin.RESULTS).toString());
        PrintWriter print = spec.commandLine().getOut();
        Timeline timeline = Timeline.start(MOST_OPERATIONS, !target.trains());
        Recording recording = Trace.record();
        if (target.trains()) {
            ProfilerWindow.set(profile.skipped(), profile.count());
        }
        int code;
        try {
            code = Main.run(
                    spec.commandLine().getFactory(),
                    print,
                    spec.commandLine().getErr(),
                    eager.words().toArray(String[]::new));
        } finally {
            ProfilerWindow.clear();
            Trace.stop();
            Timeline.stop();
        }
        if (code != ExitCode.OK) {
            return code;
        }
        List<Timeline.Operation> operations = timeline.operations();
        if (operations.isEmpty()) {
            throw new CommandFailedException("the command has run no operation that could be looked at");
        }
        write(folder, target, timeline, recording);
        return ExitCode.OK;
    }

    private void write(Path path, ProfileMixin.Target target, Timeline timeline, Recording recording)
            throws IOException {
        PrintWriter print = spec.commandLine().getOut();
        List<Timeline.Operation> operations = timeline.operations();
        String device = target.text("--device").orElse("auto").split(",")[0];
        String description;
        KernelProfile measured;
        try (Device open = Device.open(DeviceOptions.of(DeviceSelector.parse(device)))) {
            double bytes = operations.stream()
                    .mapToDouble(operation -> operation.cost().bytes())
                    .sum();
            description = open.description();
            measured = KernelProfile.of(
                    operations, DeviceCeilings.measure(open, bytes / (target.trains() ? profile.count() : 1)));
        }
        print(print, measured, operations.size());
        if (timeline.isFull()) {
            print.println("  these are the first %,d operations; those that followed are not among them"
                    .formatted(MOST_OPERATIONS));
        }
        try (ResultFolder folder = CampaignRunner.claim(path, Purpose.NEW, "profile none", "--out")) {
            folder.write(TABLE, file -> Files.writeString(file, table(measured)));
            folder.write(TRACE, file -> {
                try (var writer = Files.newBufferedWriter(file)) {
                    new TraceEvents(operations, recording.ranges()).write(writer, description);
                }
            });
            print.println("wrote " + CampaignRunner.written(folder) + "; open " + TRACE
                    + " with https://ui.perfetto.dev or chrome://tracing");
        }
    }

    private static void print(PrintWriter print, KernelProfile profile, int operations) {
        print.printf(
                "%n%,d operations on %s, %.3f ms of device time%n",
                operations,
                profile.streams().size() == 1 ? "one stream" : profile.streams().size() + " streams",
                profile.nanoseconds() / 1e6);
        print.printf(
                "  %-29s %6s %10s %7s %10s %10s  %-9s %-7s %7s %8s %8s%n",
                "operation",
                "calls",
                "total",
                "share",
                "mean",
                "median",
                "grid",
                "block",
                "GB/s",
                "GFLOP/s",
                "of floor");
        for (KernelProfile.Row row : profile.rows()) {
            print.printf(
                    "  %-29s %,6d %7.3f ms %5.1f %% %7.2f us %7.2f us  %-9s %-7s %7.1f %8.1f %6.0f %%%n",
                    row.name(),
                    row.calls(),
                    row.nanoseconds() / 1e6,
                    100 * row.nanoseconds() / profile.nanoseconds(),
                    row.mean() / 1e3,
                    row.median() / 1e3,
                    row.grids(),
                    row.blocks(),
                    row.gigabytesPerSecond(),
                    row.gigaflops(),
                    100 * row.ofFloor());
        }
    }

    private static String table(KernelProfile profile) {
        StringBuilder table = new StringBuilder(
                "operation,calls,nanoseconds,share,mean,median,grid,block,gigabytes_per_second,gigaflops,of_floor\n");
        for (KernelProfile.Row row : profile.rows()) {
            table.append("%s,%d,%.0f,%.4f,%.0f,%.0f,%s,%s,%.2f,%.2f,%.3f%n"
                    .formatted(
                            row.name(),
                            row.calls(),
                            row.nanoseconds(),
                            row.nanoseconds() / profile.nanoseconds(),
                            row.mean(),
                            row.median(),
                            row.grids(),
                            row.blocks(),
                            row.gigabytesPerSecond(),
                            row.gigaflops(),
                            row.ofFloor()));
        }
        return table.toString();
    }
}
