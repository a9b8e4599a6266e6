package plateau.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.kernel.Catalogue;
import plateau.results.ResultFolder;
import plateau.results.ResultFolder.Purpose;

/** Single kernels by Nsight Compute. */
@Command(
        name = "ncu",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Kernels by Nsight Compute, as they run in some training steps that are launched without graphs: those"
                    + " named, or the five that take the longest, which a profile of this program's own finds first.",
            "ncu runs each launch some forty times, with the GPU's clocks locked to their base: times are longer than"
                    + " in a run, shares are not.",
            "Exit code 3 where ncu or the GPU is not there, or its counters may not be read."
        },
        footer = {
            "",
            "Examples:",
            "  plateau profile ncu -- parity --d 30",
            "      the five longest kernels of a step, into ./profile/plateau.ncu-rep",
            "  plateau profile ncu --kernel dense_forward --launches 2 -- step e2e",
            "      one kernel, twice"
        })
final class ProfileNcuCommand implements Callable<Integer> {
    private static final int LONGEST = 5;
    private static final String PERMISSION = "ERR_NVGPUCTRPERM";
    private static final String METRICS = "gpu__time_duration.sum,sm__throughput.avg.pct_of_peak_sustained_elapsed,"
            + "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed,"
            + "sm__warps_active.avg.pct_of_peak_sustained_active,launch__registers_per_thread";

    @Spec
    private CommandSpec spec;

    @Mixin
    private ProfileMixin profile;

    @Mixin
    private OwnProgram program;

    @Option(
            names = "--kernel",
            paramLabel = "NAMES",
            completionCandidates = Names.class,
            description = "kernels, separated by commas (default: the five that take the longest)")
    private String kernels;

    @Option(names = "--launches", paramLabel = "N", description = "launches to look at, of all kernels (default: 20)")
    private int launches = 20;

    /** What a shell offers. */
    private static final class Names implements Iterable<String> {
        @Override
        public java.util.Iterator<String> iterator() {
            return Catalogue.names().iterator();
        }
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (launches < 1) {
            throw new IllegalArgumentException("--launches is 1 or more");
        }
        List<String> named = kernels == null ? List.of() : TypedValues.names("--kernel", kernels, Catalogue.names());
        ProfileMixin.Target target = profile.target(spec).with("--no-graph");
        Path folder = profile.folder();
        ProfiledProgram profiled = new ProfiledProgram(spec, profile, program);
        if (!profiled.isPossible("ncu", "Nsight Compute", target)) {
            return ExitCode.SKIPPED;
        }
        PrintWriter print = spec.commandLine().getOut(),
                err = spec.commandLine().getErr();
        try (ResultFolder claimed = CampaignRunner.claim(folder, Purpose.NEW, "profile ncu", "--out")) {
            claimed.begin();
            List<String> wanted = named.isEmpty() ? longest(target, folder.resolve("longest")) : named;
            Path report = claimed.file("plateau.ncu-rep");
            String tool = profiled.tool().toString();
            List<String> command = new ArrayList<>(List.of(
                    tool,
                    "--set",
                    "full",
                    "--import-source",
                    "yes",
                    "--kernel-name",
                    "regex:^(" + String.join("|", wanted) + ")$",
                    "--launch-count",
                    Integer.toString(launches),
                    "--target-processes",
                    "all",
                    "--force-overwrite",
                    "--export",
                    report.toString()));
            sources()
                    .ifPresent(
                            folderOfSources -> command.addAll(List.of("--source-folders", folderOfSources.toString())));
            if (target.trains()) {
                command.addAll(List.of("--profile-from-start", "no"));
            }
            command.addAll(profiled.command(target, folder));
            AtomicBoolean forbidden = new AtomicBoolean();
            int code = NvidiaTool.run(command, profiled.environment(target), line -> {
                print.println(line);
                forbidden.compareAndSet(false, line.contains(PERMISSION));
            });
            if (forbidden.get()) {
                err.println("plateau: nothing was profiled: the driver shows the GPU's counters to administrators alone"
                        + " (" + PERMISSION + "); run as root, in a container with --cap-add=SYS_ADMIN, or let root put"
                        + " 'options nvidia NVreg_RestrictProfilingToAdminUsers=0' into a file of /etc/modprobe.d on"
                        + " the host and restart it; without counters: plateau profile none");
                return ExitCode.SKIPPED;
            }
            profiled.requireOk("ncu", code);
            claimed.write(
                    "summary.txt",
                    file -> ProfiledProgram.write(
                            file,
                            () -> NvidiaTool.summary(
                                    List.of(
                                            tool,
                                            "--import",
                                            report.toString(),
                                            "--page",
                                            "raw",
                                            "--print-summary",
                                            "per-kernel",
                                            "--metrics",
                                            METRICS),
                                    err),
                            print));
            print.println("wrote %s, to open with ncu-ui, and summary.txt".formatted(report));
        }
        return ExitCode.OK;
    }

    /** By a profile of this program's own, on the same device. */
    private List<String> longest(ProfileMixin.Target target, Path folder) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(program.command());
        command.addAll(List.of(
                "profile",
                "none",
                "--skip",
                Long.toString(profile.skipped()),
                "--steps",
                Long.toString(profile.count()),
                "--out",
                folder.toString(),
                "--"));
        command.addAll(target.with("--device", "cuda").words());
        List<String> said = new ArrayList<>();
        int code = NvidiaTool.run(command, java.util.Map.of(), said::add);
        if (code != ExitCode.OK) {
            throw new CommandFailedException("which kernels take the longest could not be found out: "
                    + (said.isEmpty() ? "exit code " + code : said.getLast()));
        }
        try (Stream<String> rows = Files.lines(folder.resolve(ProfileNoneCommand.TABLE))) {
            return rows.skip(1)
                    .map(row -> row.split(",")[0])
                    .filter(Catalogue.names()::contains)
                    .limit(LONGEST)
                    .collect(Collectors.toList());
        }
    }

    /** The checkout that this program was built in, whose files PTX names by relative paths. */
    private static java.util.Optional<Path> sources() {
        return Stream.of(System.getProperty("java.class.path").split(":"))
                .map(entry -> Path.of(entry).toAbsolutePath().getParent())
                .filter(folder -> folder != null
                        && folder.endsWith("target")
                        && Files.isDirectory(folder.resolveSibling("kernels")))
                .map(Path::getParent)
                .findFirst();
    }
}
