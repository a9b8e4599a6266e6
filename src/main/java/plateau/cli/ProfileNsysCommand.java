package plateau.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import plateau.results.ResultFolder;
import plateau.results.ResultFolder.Purpose;

/** A timeline by Nsight Systems. */
@Command(
        name = "nsys",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "A timeline by Nsight Systems: kernels, each node of a graph by itself, copies, calls of cuBLAS, cuDNN and"
                    + " the system, and this program's ranges and names (NVTX) of some training steps, or of all of"
                    + " a command that does not train.",
            "Exit code 3 where nsys or the GPU is not there."
        },
        footer = {
            "",
            "Examples:",
            "  plateau profile nsys -- parity --d 30",
            "      200 steps after the first 100, into ./profile/plateau.nsys-rep",
            "  plateau profile nsys -- tuple --k 1,2,3,4 --parallel 4",
            "      runs side by side: the steps are those of the first to get there"
        })
final class ProfileNsysCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ProfileMixin profile;

    @Mixin
    private OwnProgram program;

    @Override
    public Integer call() throws IOException, InterruptedException {
        ProfileMixin.Target target = profile.target(spec);
        Path folder = profile.folder();
        ProfiledProgram profiled = new ProfiledProgram(spec, profile, program);
        if (!profiled.isPossible("nsys", "Nsight Systems", target)) {
            return ExitCode.SKIPPED;
        }
        PrintWriter print = spec.commandLine().getOut(),
                err = spec.commandLine().getErr();
        try (ResultFolder claimed = CampaignRunner.claim(folder, Purpose.NEW, "profile nsys", "--out")) {
            claimed.begin();
            Path report = claimed.file("plateau.nsys-rep");
            String tool = profiled.tool().toString();
            List<String> command = new ArrayList<>(List.of(
                    tool,
                    "profile",
                    "--trace=cuda,nvtx,cublas,cudnn,osrt",
                    "--cuda-graph-trace=node",
                    "--sample=none",
                    "--cpuctxsw=none",
                    "--force-overwrite=true",
                    "--output=" + report));
            if (target.trains()) {
                command.addAll(List.of("--capture-range=cudaProfilerApi", "--capture-range-end=stop"));
            }
            command.addAll(profiled.command(target, folder));
            int code = NvidiaTool.run(command, profiled.environment(target), print::println);
            profiled.requireOk("nsys", code);
            claimed.write(
                    "summary.txt",
                    file -> ProfiledProgram.write(
                            file,
                            () -> NvidiaTool.summary(
                                    List.of(
                                            tool,
                                            "stats",
                                            "--force-export=true",
                                            "--report=cuda_gpu_kern_sum,nvtx_sum",
                                            report.toString()),
                                    err),
                            print));
            print.println("wrote %s, to open with nsys-ui, and summary.txt".formatted(report));
        }
        return ExitCode.OK;
    }
}
