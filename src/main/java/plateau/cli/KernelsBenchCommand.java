package plateau.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.autograd.Kernels;
import plateau.bench.KernelSpeed;
import plateau.cuda.Device;
import plateau.experiment.Kind;
import plateau.experiment.Kinds;
import plateau.kernel.Catalogue;
import plateau.study.Grid;
import plateau.study.RunSpec;
import plateau.study.Seeds;

/** Kernels at the experiments' shapes. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Times each operation of every experiment's training step as it is by default, or the kernels named, alone"
                    + " in a graph, beside the least time that its arithmetic, its memory and a launch need on this"
                    + " device, by ceilings that are measured.",
            "An operation that several experiments launch alike is measured once. Kernels that are in no training step,"
                    + " of theorems and first values, are not among them."
        },
        footer = {
            "",
            "Examples:",
            "  plateau kernels bench",
            "      all, in some minutes",
            "  plateau kernels bench dense_forward sgd --device cpu",
            "      two kernels, at all shapes that training has"
        })
final class KernelsBenchCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "NAME",
            arity = "0..*",
            completionCandidates = Names.class,
            description = "kernels (default: all operations)")
    private List<String> names = new ArrayList<>();

    @Mixin
    private OneDeviceMixin device;

    /** What a shell offers. */
    private static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Catalogue.names().iterator();
        }
    }

    @Override
    public Integer call() {
        device.check();
        Catalogue.requireKnown(names);
        PrintWriter print = spec.commandLine().getOut();
        try (Device opened = device.open()) {
            print.println("device: " + opened.description());
            print.printf(
                    "%-29s %-28s %-18s %11s %11s %7s %7s %8s%n",
                    "operation", "experiment", "launch", "time", "floor", "reached", "GB/s", "GFLOP/s");
            Kernels kernels = device.kernels(opened);
            Set<String> seen = new HashSet<>();
            for (Kind<?> kind : Kinds.all()) {
                for (RunSpec<?> run : runs(kind)) {
                    KernelSpeed.measure(
                            kernels,
                            run.experiment(),
                            name -> names.isEmpty() || names.contains(name),
                            seen,
                            speed -> print(print, kind.name() + " " + run.key().label(), speed));
                }
            }
            names.stream()
                    .filter(name -> seen.stream().noneMatch(launch -> launch.startsWith(name + "<")))
                    .forEach(name -> print.println(name + " is in no training step as it is by default"));
        }
        return ExitCode.OK;
    }

    private static <O extends Record> List<RunSpec<O>> runs(Kind<O> kind) {
        return new Grid<>(kind, Map.of(), OptionalLong.empty(), 1, new Seeds(1, 1)).runs();
    }

    private static void print(PrintWriter print, String experiment, KernelSpeed speed) {
        print.printf(
                "%-29s %-28s %-18s %8.2f us %8.2f us %5.0f %% %7.1f %8.1f%n",
                speed.name(),
                experiment,
                speed.launch(),
                speed.nanoseconds() / 1e3,
                speed.floor() / 1e3,
                100 * speed.floor() / speed.nanoseconds(),
                speed.gigabytesPerSecond(),
                speed.gigaflops());
    }
}
